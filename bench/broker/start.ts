import { get } from 'node:http'
import { median } from '../median.ts'
import { freePorts, spawnProcess, type Started } from '../processes.ts'
import { memoryOf, showMemory, type Memory } from './process_figures.ts'
import type { Report } from './report.ts'
import { LOAD_CORE, SERVER_CORE, type Settings } from './settings.ts'
import { makeStartWorld } from './start_world.ts'
import type { World } from './world.ts'

const RUNS = 15
const MARK = 4
const PATIENCE_MS = 10_000

interface Figures extends Memory {
  readonly ms: number
}

/**
 * From process start to the first token served, of a sidecar with a whole authority beside it, beside bare `node:http` to its
 * first answer. Runs of the two alternate.
 */
export async function startUp(_world: World, report: Report, settings: Settings): Promise<void> {
  const runs = settings.rounds ?? RUNS
  const world = await makeStartWorld(LOAD_CORE)
  const sidecar: Figures[] = []
  const bare: Figures[] = []
  try {
    for (let run = 0; run < runs; run++) {
      const port = String(await freePorts(1))
      const reference = [process.execPath, 'bench/servers/bare_http.mjs']
      bare.push(await measure(reference, `http://127.0.0.1:${port}/`, { PORT: port }))
      sidecar.push(await measure(world.brokerCommand, world.brokerUrl, {}))
    }
  } finally {
    await world.close()
  }
  const ratio = median(sidecar.map(({ ms }, run) => ms / (bare[run]?.ms ?? NaN)))
  report.line(
    `median of ${String(runs)}: sidecar to its first token ${show(sidecar)}; node:http to its first answer ${show(bare)}`,
  )
  report.line(`time ratio ${report.atMost('start', ratio, MARK)}`)
}

async function measure(
  command: readonly string[],
  url: string,
  env: Readonly<Record<string, string>>,
): Promise<Figures> {
  const begun = performance.now()
  const started: Started = spawnProcess(command, { core: SERVER_CORE, env })
  try {
    while (!(await answers(url))) {
      if (performance.now() - begun > PATIENCE_MS) throw new Error(`no answer from ${url} in 10 s`)
    }
    return { ms: performance.now() - begun, ...memoryOf(started.process.pid ?? 0) }
  } finally {
    await started.stop()
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, headers: { 'lumo-broker': 'true' } }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => {
      setTimeout(resolve, 1, false)
    })
  })
}

function show(figures: readonly Figures[]): string {
  const middle = (member: keyof Figures): number => median(figures.map((one) => one[member]))
  const memory = { residentMb: middle('residentMb'), anonymousMb: middle('anonymousMb') }
  return `${middle('ms').toFixed(0)} ms, ${showMemory(memory)}`
}
