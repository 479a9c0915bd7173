import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { median } from './median.ts'
import { freePorts, spawnProcess, type Started } from './processes.ts'
import { makeWorld } from './world.ts'

const RUNS = 15
const CORE = 0

interface Figures {
  readonly ms: number
  readonly residentMb: number
  readonly anonymousMb: number
}

/**
 * From process start to the first token served, and the memory then, of the built sidecar with an authority beside it; beside
 * the same of a bare `node:http` process. Runs of the two alternate.
 */
export async function bench(): Promise<void> {
  const world = await makeWorld(1)
  const sidecar: Figures[] = []
  const bare: Figures[] = []
  try {
    for (let run = 0; run < RUNS; run++) {
      const port = String(await freePorts(1))
      const reference = [process.execPath, 'bench/servers/bare_http.mjs']
      bare.push(await measure(reference, `http://127.0.0.1:${port}/`, { PORT: port }))
      sidecar.push(await measure(world.brokerCommand, world.brokerUrl, {}))
    }
  } finally {
    await world.close()
  }
  const [mine, reference] = [middle(sidecar), middle(bare)]
  print(`median of ${String(RUNS)}, from process start to the first answer`)
  print(`sidecar, first token   ${show(mine)}`)
  print(`bare node:http         ${show(reference)}`)
  print(
    `ratios                 time ${ratio(mine.ms, reference.ms)}, resident ${ratio(mine.residentMb, reference.residentMb)}, anonymous ${ratio(mine.anonymousMb, reference.anonymousMb)}`,
  )
}

async function measure(
  command: readonly string[],
  url: string,
  env: Readonly<Record<string, string>>,
): Promise<Figures> {
  const begun = performance.now()
  const started: Started = spawnProcess(command, { core: CORE, env })
  try {
    while (!(await answers(url))) {
      if (performance.now() - begun > 10_000) throw new Error(`no answer from ${url} in 10 s`)
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

/** From /proc: what the process holds, and what of it is its own alone. */
function memoryOf(pid: number): { readonly residentMb: number; readonly anonymousMb: number } {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  const megabytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  return { residentMb: megabytes('VmRSS'), anonymousMb: megabytes('RssAnon') }
}

function middle(figures: readonly Figures[]): Figures {
  return {
    ms: median(figures.map(({ ms }) => ms)),
    residentMb: median(figures.map(({ residentMb }) => residentMb)),
    anonymousMb: median(figures.map(({ anonymousMb }) => anonymousMb)),
  }
}

function show({ ms, residentMb, anonymousMb }: Figures): string {
  return `${ms.toFixed(0)} ms, resident ${residentMb.toFixed(1)} MB, anonymous ${anonymousMb.toFixed(1)} MB`
}

function ratio(mine: number, reference: number): string {
  return (mine / reference).toFixed(2)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
