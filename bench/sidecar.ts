import { spawnSync } from 'node:child_process'
import { pause } from './broker/client.ts'
import { openLoop } from './broker/open_loop.ts'
import { cpuSecondsOf, memoryOf, showMemory } from './broker/process_figures.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings } from './broker/settings.ts'
import { GUARD, headersOf, QUERY } from './broker/throughput.ts'
import { NO_RATE_LIMIT, World, type Broker } from './broker/world.ts'

const IDLE_SECONDS = 120
const SECONDS = 60
/** As many pods as the kubelet lets a node have by default. */
const PODS = 110

/**
 * `npm run bench -- sidecar [--rest N] [--seconds N]`: what a sidecar and the broker of a node take of memory and processor, idle and
 * at fixed rates. The requests and limits of the chart are made of it.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)])
  const report = new Report()
  const pace = { rest: settings.rest ?? IDLE_SECONDS, seconds: settings.seconds ?? SECONDS }
  await withWorld(async (world) => {
    const sidecar = await world.broker({ shape: 'sidecar', settings: NO_RATE_LIMIT })
    await figures('sidecar', sidecar, [GUARD], pace, report)
  })
  await withWorld(async (world) => {
    const node = await world.broker({ shape: 'node', tls: false, settings: NO_RATE_LIMIT })
    const tokens = await Promise.all(
      Array.from({ length: PODS }, (_, pod) => world.pods.token(pod)),
    )
    const bearers = tokens.map((token) => [GUARD, `Authorization: Bearer ${token}`])
    // Each pod has had its token before, so all of them are held.
    for (const headers of bearers)
      await world.ask(`${node.origin}/v1/token${QUERY}`, headersOf(headers))
    await figures(`node, ${String(PODS)} pods`, node, bearers[0] ?? [], pace, report)
  })
}

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const world = await World.make()
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

async function figures(
  name: string,
  broker: Broker,
  headers: readonly string[],
  { rest, seconds }: { readonly rest: number; readonly seconds: number },
  report: Report,
): Promise<void> {
  // What is done once is over before anything is counted.
  await pause(5)
  const tell = (when: string, cpu: number): void => {
    report.line(
      `${name.padEnd(16)} ${when.padEnd(14)} ${cpu.toFixed(1).padStart(6)} millicores   ${showMemory(memoryOf(broker.pid))}`,
    )
  }
  tell(`idle, ${String(rest)} s`, await millicores(broker, () => pause(rest)))
  for (const perSecond of [100, 1_000]) {
    const cpu = await millicores(broker, async () => {
      const { failed } = await openLoop(`${broker.origin}/v1/token${QUERY}`, {
        headers,
        perSecond,
        seconds,
      })
      if (failed > 0) throw new Error(`${String(failed)} requests failed`)
    })
    tell(`at ${String(perSecond)}/s`, cpu)
  }
}

async function millicores(broker: Broker, work: () => Promise<unknown>): Promise<number> {
  const [begun, before] = [performance.now(), cpuSecondsOf(broker.pid)]
  await work()
  return ((cpuSecondsOf(broker.pid) - before) / ((performance.now() - begun) / 1000)) * 1000
}
