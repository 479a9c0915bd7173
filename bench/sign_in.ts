import { text } from 'node:stream/consumers'
import { runLoad } from './broker/open_loop.ts'
import { cpuSecondsOf, showOthers, watchOthers } from './broker/process_figures.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings, SERVER_CORE } from './broker/settings.ts'
import type { OpenLoopFigures, OpenLoopOrder } from './load/open_loop.ts'
import type { SignInsFigures, SignInsOrder } from './load/sign_ins.ts'
import { median } from './median.ts'
import { spawnProcess } from './processes.ts'
import { signInWorld, type SignInWorld } from './sign_in_world.ts'
import { wrkPosts } from './wrk.ts'

const MARK = 2
const SIGN_INS = 20
/** Of the sign-ins that are sent in a second, those that have to end in it, or the ratio says little. */
const NEARLY = 0.95
/** Of what the core can do in tokens. Twenty hashes need half of the core and more, and half of it for tokens would fill it. */
const SHARE = 0.25
const ROUNDS = 7
const SECONDS = 4
/** Sign-ins begin before the measured time and end after it. */
const EARLY_MS = 700
const AROUND_SECONDS = 3
const BODY = 'grant_type=client_credentials'
const basic = `Authorization: Basic ${btoa('bench:bench-secret')}`

interface Figures extends OpenLoopFigures {
  /** Share of the server's core that the authority took, and that others took. */
  readonly own: number
  readonly others: number
}

interface Round {
  readonly alone: Figures
  readonly amid: Figures
  readonly signIns: SignInsFigures
}

interface Pace {
  readonly perSecond: number
  readonly seconds: number
}

/**
 * `npm run bench -- sign_in [--rounds N] [--seconds N]`: tokens at a fixed rate, alone and while 20 people a second sign in with
 * their passwords, in turn: the authority, its hashes included, on one core, the load on the other.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  const report = new Report()
  const world = await signInWorld(SERVER_CORE)
  try {
    const capacity = await capacityOf(world)
    report.line(`client_credentials (RS256), as many as one core can: ${capacity.toFixed(0)}/s`)
    const pace = { perSecond: Math.round(capacity * SHARE), seconds: settings.seconds ?? SECONDS }
    await signIns(world, 2)
    const rounds: Round[] = []
    for (let round = 0; round < (settings.rounds ?? ROUNDS); round++) {
      rounds.push(await paired(world, pace, round % 2 === 1))
    }
    tell(rounds, pace.perSecond, report)
  } finally {
    await world.close()
  }
  report.summary()
}

async function capacityOf({ port, tokenPath }: SignInWorld): Promise<number> {
  const url = `http://127.0.0.1:${String(port)}${tokenPath}`
  const load = (seconds: number) =>
    wrkPosts(url, { seconds, core: LOAD_CORE, headers: [basic], body: BODY })
  await load(3)
  return median([await load(2), await load(2), await load(2)])
}

async function paired(world: SignInWorld, pace: Pace, isReversed: boolean): Promise<Round> {
  const first = isReversed ? undefined : await tokens(world, pace)
  const signing = signIns(world, pace.seconds + AROUND_SECONDS)
  await new Promise((resolve) => setTimeout(resolve, EARLY_MS))
  const amid = await tokens(world, pace)
  const figures = { amid, signIns: await signing }
  return { ...figures, alone: first ?? (await tokens(world, pace)) }
}

async function tokens({ port, tokenPath, pid }: SignInWorld, pace: Pace): Promise<Figures> {
  const head = [
    `POST ${tokenPath} HTTP/1.1`,
    `Host: 127.0.0.1:${String(port)}`,
    basic,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${String(BODY.length)}`,
  ]
  const others = watchOthers(SERVER_CORE, pid)
  const [begun, used] = [performance.now(), cpuSecondsOf(pid)]
  const figures = await runLoad<OpenLoopFigures>('open_loop', {
    ...pace,
    peer: { host: '127.0.0.1', port },
    request: `${head.join('\r\n')}\r\n\r\n${BODY}`,
  } satisfies OpenLoopOrder)
  const own = (cpuSecondsOf(pid) - used) / ((performance.now() - begun) / 1000)
  // The one that is due as the warm-up ends may be counted on neither side.
  if (figures.failed > 1) throw new Error(`tokens failed: ${JSON.stringify(figures.statuses)}`)
  return { ...figures, own, others: others() }
}

async function signIns(
  { port, authorizePath, emails, password }: SignInWorld,
  seconds: number,
): Promise<SignInsFigures> {
  const order = { port, authorize: authorizePath, emails, password, perSecond: SIGN_INS, seconds }
  const { process: child } = spawnProcess(
    [process.execPath, 'bench/load/sign_ins.ts', JSON.stringify(order satisfies SignInsOrder)],
    // It steps back for what measures, on the same core.
    { core: LOAD_CORE, nice: 5 },
  )
  return JSON.parse(await text(child.stdout)) as SignInsFigures
}

function tell(rounds: readonly Round[], perSecond: number, report: Report): void {
  const token = (when: 'alone' | 'amid', member: 'p50' | 'p99' | 'lateP99' | 'own' | 'others') =>
    median(rounds.map((one) => one[when][member]))
  const signIn = (member: 'perSecond' | 'p50' | 'p99'): number =>
    median(rounds.map(({ signIns }) => signIns[member]))
  const show = (when: 'alone' | 'amid'): string =>
    `${when} p50 ${token(when, 'p50').toFixed(2)} p99 ${token(when, 'p99').toFixed(2)} ms (${(token(when, 'own') * 100).toFixed(0)} % of its core; generator late p99 ${token(when, 'lateP99').toFixed(2)})`
  const cost = ((token('amid', 'own') - token('alone', 'own')) / signIn('perSecond')) * 1000
  const refused = rounds.reduce((sum, { signIns }) => sum + signIns.failed, 0)
  const reached = report.atLeast('sign-ins a second', signIn('perSecond'), SIGN_INS * NEARLY)
  report.line(
    `sign-ins, ${String(SIGN_INS)} sent in a second: ${reached}; p50 ${signIn('p50').toFixed(0)} p99 ${signIn('p99').toFixed(0)} ms, each ${cost.toFixed(0)} ms of the processor, ${String(refused)} sent away`,
  )
  const ratio = token('amid', 'p99') / token('alone', 'p99')
  const verdict = report.atMost('p99 of tokens amid sign-ins, beside alone', ratio, MARK)
  const others = showOthers(Math.max(token('alone', 'others'), token('amid', 'others')))
  report.line(
    `tokens at ${String(perSecond)}/s: ${show('alone')}, ${show('amid')}: ${verdict}${others}`,
  )
}
