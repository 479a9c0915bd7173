import { spawnSync } from 'node:child_process'
import { abuse } from './broker/abuse.ts'
import { entries } from './broker/entries.ts'
import { halfLoad } from './broker/half_load.ts'
import { memory } from './broker/memory.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings, type Settings } from './broker/settings.ts'
import { startUp } from './broker/start.ts'
import { throughput } from './broker/throughput.ts'
import { World } from './broker/world.ts'

type Part = (world: World, report: Report, settings: Settings) => Promise<void>

const parts: Readonly<Record<string, Part>> = {
  throughput,
  p99: halfLoad,
  memory,
  start: startUp,
  entries,
  abuse,
}

/**
 * `npm run bench -- broker [PART...] [--seconds N] [--rounds N] [--rest N]`: what a broker costs, beside references in the
 * same run. What is measured has one core for itself, everything else the other one.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings, parts: named } = readSettings(args)
  const unknown = named.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined) {
    process.stderr.write(`no part ${unknown}: ${Object.keys(parts).join(' | ')}\n`)
    process.exitCode = 2
    return
  }
  // This process reads the logs of all others, and hands its core down to them.
  spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)])
  const report = new Report()
  for (const [name, run] of Object.entries(parts)) {
    if (named.length > 0 && !named.includes(name)) continue
    report.line(`== ${name}`)
    const world = await World.make()
    try {
      await run(world, report, settings)
    } finally {
      await world.close()
    }
  }
  report.summary()
}
