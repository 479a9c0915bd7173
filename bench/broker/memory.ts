import { audiencesOf, Client, counted, pause } from './client.ts'
import { load } from './compare.ts'
import { memoryOf, showMemory } from './process_figures.ts'
import type { Report } from './report.ts'
import type { Settings } from './settings.ts'
import { GUARD, QUERY } from './throughput.ts'
import { NO_RATE_LIMIT, type Broker, type World } from './world.ts'

const MARKS = { idleMb: 32, loadedMb: 45, timesResident: 1.45 }
const REFRESHES = 500
const KEYS = 125
/** Refreshed between 0.585 and 0.715 of it, and served from the cache while more than 15 s are left of it. */
const LIFE_SECONDS = 22
/** By then it is a new one, which is young enough to be served. */
const TOUCH_AT_AGE = 18
const LOAD_SECONDS = 10
const REST_SECONDS = 20
const MANY = { exchangesPerMinute: 1_000_000, audiencesPerHour: 10_000 }

/** What a sidecar holds that has refreshed for a while, and after a load, with its authority behind TLS. */
export async function memory(world: World, report: Report, settings: Settings): Promise<void> {
  const rest = settings.rest ?? REST_SECONDS
  const sidecar = await world.broker({
    shape: 'sidecar',
    settings: { ...NO_RATE_LIMIT, limits: MANY },
  })
  const bare = await world.bare('bare_http')
  const seconds = settings.seconds ?? LOAD_SECONDS
  const asking = { query: QUERY, headers: [GUARD] }
  const cycles = settings.rounds ?? REFRESHES / KEYS
  await Promise.all([useThroughout(sidecar, cycles), load(bare, asking, seconds)])
  const issued = await counted(sidecar, 'lumo_refreshes_total{outcome="issued"}')
  await pause(rest)
  const idle = memoryOf(sidecar.pid)
  report.line(
    `idle for ${String(rest)} s after ${String(issued)} refreshes: ${showMemory(idle)}   anonymous ${report.atMost('memory idle, anonymous', idle.anonymousMb, MARKS.idleMb, ' MB')}`,
  )

  await load(sidecar, asking, seconds)
  await pause(rest)
  const [loaded, reference] = [memoryOf(sidecar.pid), memoryOf(bare.pid)]
  report.line(
    `${String(rest)} s after a load of ${String(seconds)} s: ${showMemory(loaded)}   anonymous ${report.atMost('memory after load, anonymous', loaded.anonymousMb, MARKS.loadedMb, ' MB')}`,
  )
  const times = loaded.residentMb / reference.residentMb
  report.line(
    `bare node:http, the same: ${showMemory(reference)}   resident ratio ${report.atMost('memory after load, resident beside node:http', times, MARKS.timesResident)}`,
  )
}

/** Keeps tokens used, so that each is refreshed ahead of time so many times; none of them any more after that. */
async function useThroughout(sidecar: Broker, cycles: number): Promise<void> {
  const client = new Client(sidecar)
  const audiences = audiencesOf(KEYS, LIFE_SECONDS)
  await client.getAll(audiences)
  const use = async (audience: string): Promise<void> => {
    let left = await client.get(audience)
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await pause(TOUCH_AT_AGE - (LIFE_SECONDS - left))
      if (cycle < cycles) left = await client.get(audience)
    }
  }
  await Promise.all(audiences.map(use))
  client.close()
}
