import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import type { Asking, Side } from './broker/compare.ts'
import { load } from './broker/compare.ts'
import { showOthers } from './broker/process_figures.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings } from './broker/settings.ts'
import { GUARD, headersOf, QUERY } from './broker/throughput.ts'
import { NO_RATE_LIMIT, World, type Broker } from './broker/world.ts'
import { median } from './median.ts'

const PACE = { rounds: 9, seconds: 2 }
const MARK = 0.85
const AUDIENCE = 'https://docs.example.com'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const FORM = 'application/x-www-form-urlencoded'

/** What is asked again and again. `own by POST` is what the others stand beside. */
type Name = 'own by POST' | 'session' | 'subject token' | 'own by GET'

/**
 * `npm run bench -- exchange [--rounds N] [--seconds N]`: delegated tokens from the cache beside the workload's own from the
 * cache, of one sidecar, for the same target and scope, each by a form in a POST: in a session, which is what has a mark, and
 * with the subject token in each request. The workload's own by GET stands there to compare with the other benches.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)])
  const { rounds = PACE.rounds, seconds = PACE.seconds } = settings
  const report = new Report()
  const world = await World.make()
  try {
    const broker = await world.broker({ shape: 'sidecar', settings: NO_RATE_LIMIT })
    tell(await inTurn(broker, await askings(world, broker), { rounds, seconds }), report)
  } finally {
    await world.close()
  }
  report.summary()
}

/** Makes each of them once, so that the cache holds what is asked for. */
async function askings(world: World, { origin }: Broker): Promise<ReadonlyMap<Name, Asking>> {
  const own = await post(origin, '/v1/token', { audience: AUDIENCE })
  const subject = {
    subject_token: subjectToken(String(own['access_token'])),
    subject_token_type: ACCESS_TOKEN,
  }
  const { session } = await post(origin, '/v1/sessions', subject)
  const bodies = [
    ['own by POST', '/v1/token', { audience: AUDIENCE }],
    ['session', '/v1/exchange', { session: String(session), audience: AUDIENCE }],
    ['subject token', '/v1/exchange', { ...subject, audience: AUDIENCE }],
  ] as const
  const made = new Map<Name, Asking>([['own by GET', { query: QUERY, headers: [GUARD] }]])
  for (const [name, path, form] of bodies) {
    const { access_token: token } = await post(origin, path, form)
    if (String(token).length !== String(own['access_token']).length) {
      throw new Error('the tokens differ in size')
    }
    const script = world.file(`${name.replaceAll(' ', '_')}.lua`)
    await writeFile(script, scriptOf(path, form))
    made.set(name, { query: '', headers: [GUARD], script })
  }
  return made
}

type Form = Readonly<Record<string, string>>

async function post(origin: string, path: string, form: Form): Promise<Record<string, unknown>> {
  const answer = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { ...headersOf([GUARD]), 'content-type': FORM },
    body: new URLSearchParams(form).toString(),
  })
  const text = await answer.text()
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`${path} answers ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}

/** A program for wrk: this form, to this path of the server that it is given. */
function scriptOf(path: string, form: Form): string {
  return `wrk.method = "POST"
wrk.path = ${JSON.stringify(path)}
wrk.body = ${JSON.stringify(new URLSearchParams(form).toString())}
wrk.headers["Content-Type"] = ${JSON.stringify(FORM)}
`
}

/** A user's token of the issuer of the workload's own, of about its size. */
function subjectToken(own: string): string {
  const [header = '', payload = '', signature = ''] = own.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const { act: _none, ...rest } = { act: undefined, ...claims }
  const user = { ...rest, sub: 'user_bench', client_id: 'app_bench' }
  return [header, Buffer.from(JSON.stringify(user)).toString('base64url'), signature].join('.')
}

type Rounds = readonly ReadonlyMap<Name, Side>[]

/** Loads all of them in each round, each round in the reverse order of the one before, after one that is not counted. */
async function inTurn(
  broker: Broker,
  asked: ReadonlyMap<Name, Asking>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Rounds> {
  for (const asking of asked.values()) await load(broker, asking, seconds)
  const all: ReadonlyMap<Name, Side>[] = []
  for (let round = 0; round < rounds; round++) {
    const figures = new Map<Name, Side>()
    for (const [name, asking] of round % 2 === 0 ? asked : [...asked].toReversed()) {
      figures.set(name, await load(broker, asking, seconds))
    }
    all.push(figures)
  }
  return all
}

function tell(rounds: Rounds, report: Report): void {
  const middle = (of: (round: ReadonlyMap<Name, Side>) => number): number => median(rounds.map(of))
  const figure = (name: Name, member: keyof Side) => (round: ReadonlyMap<Name, Side>) =>
    round.get(name)?.[member] ?? Number.NaN
  const ratio = (name: Name, beside: Name, member: keyof Side): number =>
    middle((round) => figure(name, member)(round) / figure(beside, member)(round))
  const line = (name: Name, verdict: string): void => {
    const perSecond = middle(figure(name, 'perSecond')).toFixed(0)
    const cpu = middle(figure(name, 'cpuMicroseconds')).toFixed(1)
    const cpuRatio = ratio('own by POST', name, 'cpuMicroseconds').toFixed(3)
    const others = showOthers(middle(figure(name, 'others')))
    report.line(
      `${name.padEnd(14)} ${perSecond}/s, ${cpu} us of processor a request (${cpuRatio})   requests ratio ${verdict}${others}`,
    )
  }
  const beside = (name: Name): number => ratio(name, 'own by POST', 'perSecond')
  line('own by POST', '1')
  line(
    'session',
    report.atLeast('delegated from cache beside own from cache', beside('session'), MARK),
  )
  line('subject token', `${beside('subject token').toFixed(3)}, no mark`)
  line('own by GET', `${beside('own by GET').toFixed(3)}, no mark`)
  const besideGet = ratio('session', 'own by GET', 'perSecond')
  report.line(`in a session by POST beside own by GET: ${besideGet.toFixed(3)}, no mark`)
}
