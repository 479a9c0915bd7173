import { median } from './median.ts'
import { freePorts, start } from './processes.ts'
import { makeWorld } from './world.ts'
import { wrk, type Load } from './wrk.ts'

const ROUNDS = 5
const SECONDS = 4
const MARK = 0.8
const SERVER_CORE = 0
const LOAD_CORE = 1
const QUERY = '?audience=https://docs.example.com'

/** `/v1/token` from the cache beside a bare Fastify route with the same bytes at the same URL, in paired rounds. */
export async function bench(): Promise<void> {
  const world = await makeWorld(LOAD_CORE)
  const broker = await start(world.brokerCommand, (line) => line.includes('operations'), {
    core: SERVER_CORE,
  })
  const url = world.brokerUrl + QUERY
  const answer = await fetch(url, { headers: { 'lumo-broker': 'true' } })
  const port = String(await freePorts(1))
  const bare = await start([process.execPath, 'bench/servers/bare_fastify.mjs'], isReady, {
    core: SERVER_CORE,
    env: { PORT: port, BODY: await answer.text() },
  })
  try {
    await measure(url, `http://127.0.0.1:${port}/v1/token${QUERY}`)
  } finally {
    await broker.stop()
    await bare.stop()
    await world.close()
  }
}

function isReady(line: string): boolean {
  return line === 'ready'
}

async function measure(url: string, bareUrl: string): Promise<void> {
  const load = (target: string, seconds: number): Promise<Load> =>
    wrk(target, { seconds, core: LOAD_CORE, headers: ['Lumo-Broker: true'] })
  await load(bareUrl, 2)
  await load(url, 2)
  const ratios: number[] = []
  const all: Record<'broker' | 'bare', Load[]> = { broker: [], bare: [] }
  for (let round = 1; round <= ROUNDS; round++) {
    const bare = await load(bareUrl, SECONDS)
    const broker = await load(url, SECONDS)
    const ratio = broker.requestsPerSecond / bare.requestsPerSecond
    ratios.push(ratio)
    all.bare.push(bare)
    all.broker.push(broker)
    print(
      `round ${String(round)}: ${show('/v1/token', broker)}   ${show('bare Fastify', bare)}   ratio ${ratio.toFixed(3)}`,
    )
  }
  const middle = (loads: readonly Load[]): Load => ({
    requestsPerSecond: median(loads.map((one) => one.requestsPerSecond)),
    p50Ms: median(loads.map((one) => one.p50Ms)),
    p99Ms: median(loads.map((one) => one.p99Ms)),
  })
  const ratio = median(ratios)
  print('')
  print(`median of ${String(ROUNDS)}: ${show('/v1/token', middle(all.broker))}`)
  print(`median of ${String(ROUNDS)}: ${show('bare Fastify', middle(all.bare))}`)
  print(`ratio ${ratio.toFixed(3)}, mark ${String(MARK)}: ${ratio >= MARK ? 'met' : 'MISSED'}`)
}

function show(name: string, { requestsPerSecond, p50Ms, p99Ms }: Load): string {
  return `${name} ${requestsPerSecond.toFixed(0)}/s p50 ${p50Ms.toFixed(2)} ms p99 ${p99Ms.toFixed(2)} ms`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
