import { writeFile } from 'node:fs/promises'
import { audiencesOf, Client, pause } from './client.ts'
import { memoryOf } from './process_figures.ts'
import type { Report } from './report.ts'
import type { Settings } from './settings.ts'
import { NO_RATE_LIMIT, type Broker, type World } from './world.ts'

const MARK_MB = 40
const ENTRIES = 10_000
const LIFE_SECONDS = 600
const REST_SECONDS = 10
/** Of those that are watched as they grow old: few enough, and short-lived enough, for one generation within a minute. */
const AGEING = { count: 300, lifeSeconds: 60 }
/** As `cache/token_cache.ts` draws it: at 0.65 of its life, give or take a tenth of that. */
const AGEING_WINDOW_SECONDS = AGEING.lifeSeconds * 0.65 * 0.2
const AGEING_END_SECONDS = AGEING.lifeSeconds * 0.65 * 1.1 + 2
/** A new proof makes every token due within a tenth of its life; it is seen within ten seconds. */
const HASTE_SECONDS = LIFE_SECONDS / 10
const WATCH_SECONDS = 30
const MANY = { exchangesPerMinute: 1_000_000, audiencesPerHour: 10_000 }

/** What ten thousand tokens weigh, and whether their refreshes come one by one or all at once. */
export async function entries(world: World, report: Report, settings: Settings): Promise<void> {
  const open = (): Promise<Broker> =>
    world.broker({
      shape: 'sidecar',
      settings: { ...NO_RATE_LIMIT, limits: MANY, maxEntries: ENTRIES },
    })
  const [ageing, sidecar] = [await open(), await open()]
  const begun = performance.now()
  await fill(ageing, AGEING.count, AGEING.lifeSeconds)

  const rest = settings.rest ?? REST_SECONDS
  await pause(rest / 2)
  const empty = memoryOf(sidecar.pid)
  // With the one that it fetched at its start: no more different targets are allowed in an hour.
  await fill(sidecar, ENTRIES - 1, LIFE_SECONDS)
  await pause(rest)
  const full = memoryOf(sidecar.pid)
  const more = full.anonymousMb - empty.anonymousMb
  report.line(
    `${String(ENTRIES)} tokens: anonymous ${full.anonymousMb.toFixed(1)} MB, with one ${empty.anonymousMb.toFixed(1)} MB, more by ${report.atMost(`memory of ${String(ENTRIES)} tokens`, more, MARK_MB, ' MB')}`,
  )

  const rotatedAt = Date.now()
  await writeFile(world.proofFile, await world.pods.token(0, 60))
  const watched = settings.seconds ?? WATCH_SECONDS
  await pause(10 + watched)
  const hastened = (await world.arrivals(LIFE_SECONDS)).filter((at) => at > rotatedAt)
  report.line(
    `a new proof, ${String(ENTRIES)} tokens in use: ${spreadOf(hastened)}; uniform over a tenth of their lives: ${(ENTRIES / HASTE_SECONDS).toFixed(0)} a second`,
  )

  await pause(AGEING_END_SECONDS - (performance.now() - begun) / 1000)
  const aged = (await world.arrivals(AGEING.lifeSeconds)).slice(AGEING.count)
  report.line(
    `${String(AGEING.count)} tokens in use grow old: ${spreadOf(aged)}; uniform over their ${AGEING_WINDOW_SECONDS.toFixed(1)} s: ${(AGEING.count / AGEING_WINDOW_SECONDS).toFixed(0)} a second`,
  )
}

/** Fetches so many tokens, and uses each once more, for what nobody uses is not refreshed. */
async function fill(sidecar: Broker, count: number, lifeSeconds: number): Promise<void> {
  const client = new Client(sidecar)
  const audiences = audiencesOf(count, lifeSeconds)
  await client.getAll(audiences)
  await client.getAll(audiences)
  client.close()
}

/** How evenly exchanges arrived, by times in milliseconds. */
function spreadOf(arrivals: readonly number[]): string {
  const [first, last] = [arrivals[0] ?? 0, arrivals.at(-1) ?? 0]
  const seconds = (last - first) / 1000
  const mean = arrivals.length / Math.max(seconds, 1)
  return `${String(arrivals.length)} exchanges in ${seconds.toFixed(1)} s, at most ${String(mostWithin(arrivals, 1_000))} in one second and ${String(mostWithin(arrivals, 100))} in a tenth of one, mean ${mean.toFixed(0)} a second`
}

/** The most that lie within any stretch of this length. */
function mostWithin(arrivals: readonly number[], ms: number): number {
  let most = 0
  let from = 0
  for (const [to, at] of arrivals.entries()) {
    while ((arrivals[from] ?? at) <= at - ms) from += 1
    most = Math.max(most, to - from + 1)
  }
  return most
}
