import type { BadFigures, BadOrder } from '../load/bad_caller.ts'
import type { OpenLoopFigures } from '../load/open_loop.ts'
import { median } from '../median.ts'
import { pause } from './client.ts'
import { openLoop, runLoad } from './open_loop.ts'
import { showOthers, watchOthers } from './process_figures.ts'
import type { Report } from './report.ts'
import { SERVER_CORE, type Settings } from './settings.ts'
import { GUARD, headersOf, QUERY } from './throughput.ts'
import type { Broker, World } from './world.ts'

const MARK = 2
const GOOD_PER_SECOND = 200
const AUDIENCES = 10_000
/** The bad ones begin before the measured time and end after it. */
const EARLY_SECONDS = 2
const LATE_SECONDS = 1

/** p99 of a good caller alone, and while others do whatever they can think of. Limits are those that a broker has by default. */
export async function abuse(world: World, report: Report, settings: Settings): Promise<void> {
  await measure('sidecar', undefined, { world, report, settings })
  await measure('node', await world.pods.token(3), { world, report, settings })
}

interface Around {
  readonly world: World
  readonly report: Report
  readonly settings: Settings
}

interface Round {
  readonly alone: OpenLoopFigures
  readonly amid: OpenLoopFigures
  readonly others: number
  readonly bad: BadFigures
}

async function measure(
  shape: 'sidecar' | 'node',
  badToken: string | undefined,
  { world, report, settings }: Around,
): Promise<void> {
  const broker = await world.broker({ shape })
  const headers = [
    GUARD,
    ...(shape === 'node' ? [`Authorization: Bearer ${await world.pods.token(4)}`] : []),
  ]
  const url = `${broker.origin}/v1/token${QUERY}`
  await world.ask(url, headersOf(headers))
  const seconds = settings.seconds ?? 6
  const rounds = settings.rounds ?? 3
  const good = (): Promise<OpenLoopFigures> =>
    openLoop(url, { headers, perSecond: GOOD_PER_SECOND, seconds })
  const all: Round[] = []
  await good()
  for (let round = 0; round < rounds; round++) {
    const alone = await good()
    const others = watchOthers(SERVER_CORE, broker.pid)
    const bad = misbehave(broker, badToken, {
      seconds: seconds + EARLY_SECONDS + LATE_SECONDS,
      audiences: AUDIENCES / rounds,
      run: round,
    })
    await pause(EARLY_SECONDS)
    const amid = await good()
    all.push({ alone, amid, others: others(), bad: await bad })
  }
  await broker.stop()
  tell(shape, all, report)
}

function misbehave(
  { origin }: Broker,
  token: string | undefined,
  order: Pick<BadOrder, 'seconds' | 'audiences' | 'run'>,
): Promise<BadFigures> {
  return runLoad<BadFigures>(
    'bad_caller',
    {
      ...order,
      port: Number(new URL(origin).port),
      ownAddresses: token !== undefined,
      token,
    } satisfies BadOrder,
    { nice: 19 },
  )
}

function tell(shape: string, all: readonly Round[], report: Report): void {
  const middle = (when: 'alone' | 'amid', member: 'p50' | 'p99' | 'worst' | 'lateP99'): number =>
    median(all.map((one) => one[when][member]))
  const show = (when: 'alone' | 'amid'): string =>
    `${when === 'alone' ? 'alone' : 'amid abuse'} p50 ${middle(when, 'p50').toFixed(2)} p99 ${middle(when, 'p99').toFixed(2)} worst ${middle(when, 'worst').toFixed(1)} ms (generator late p99 ${middle(when, 'lateP99').toFixed(2)})`
  const ratio = median(all.map(({ alone, amid }) => amid.p99 / alone.p99))
  const others = median(all.map((one) => one.others))
  report.line(
    `${shape.padEnd(22)} ${show('alone')}, ${show('amid')}   p99 ratio ${report.atMost(`abuse, ${shape}`, ratio, MARK)}${showOthers(others)}`,
  )
  const failed = all.reduce((sum, { alone, amid }) => sum + alone.failed + amid.failed, 0)
  const statuses = all.map(({ amid }) => JSON.stringify(amid.statuses)).join(' ')
  report.line(
    `  the good caller's failures: ${report.atMost(`abuse, ${shape}, failures`, failed, 0)}${failed > 0 ? ` ${statuses}` : ''}`,
  )
  for (const [name, figures] of Object.entries(summed(all.map(({ bad }) => bad)))) {
    const told = Object.entries(figures).map(([what, count]) => `${what} ${String(count)}`)
    report.line(`  ${name.padEnd(16)} ${told.join(', ')}`)
  }
}

function summed(all: readonly BadFigures[]): BadFigures {
  const sum: Record<string, Record<string, number>> = {}
  for (const [name, figures] of all.flatMap((one) => Object.entries(one))) {
    const known = (sum[name] ??= {})
    for (const [what, count] of Object.entries(figures)) known[what] = (known[what] ?? 0) + count
  }
  return sum
}
