import { attack, type Outcome } from './attack.ts'
import type { Report } from './report.ts'
import type { Settings } from './settings.ts'
import { GUARD, headersOf, QUERY } from './throughput.ts'
import type { World } from './world.ts'

const MARK = 2
const AUDIENCES = 10_000
const PATH = `/v1/token${QUERY}`

/**
 * p99 of a good caller alone, and while others do whatever they can think of. Limits are those that a broker has by default;
 * in a sidecar the bad ones are the same caller as the good one, and together they stay below its rate.
 */
export async function abuse(world: World, report: Report, settings: Settings): Promise<void> {
  const pace = {
    seconds: settings.seconds ?? 4,
    rounds: settings.rounds ?? 3,
    audiences: AUDIENCES,
  }
  const alike = { path: PATH, headers: [GUARD], badToken: undefined }

  const sidecar = await world.broker({ shape: 'sidecar' })
  const body = await world.ask(sidecar.origin + PATH, headersOf([GUARD]))
  judge('sidecar', await attack({ ...pace, ...alike, target: sidecar }), report)
  await sidecar.stop()

  const bare = await world.bare('bare_fastify', { body })
  const rounds = Math.min(pace.rounds, 2)
  const { ratio, text } = await attack({ ...pace, ...alike, rounds, target: bare })
  report.line(`bare Fastify, the same   ${text}   p99 ratio ${ratio.toFixed(3)}, no mark`)
  await bare.stop()

  const node = await world.broker({ shape: 'node' })
  const headers = [GUARD, `Authorization: Bearer ${await world.pods.token(4)}`]
  await world.ask(node.origin + PATH, headersOf(headers))
  const badToken = await world.pods.token(3)
  judge('node', await attack({ ...pace, path: PATH, headers, badToken, target: node }), report)
}

function judge(shape: string, { ratio, failed, text, bad }: Outcome, report: Report): void {
  report.line(
    `${shape.padEnd(24)} ${text}   p99 ratio ${report.atMost(`abuse, ${shape}`, ratio, MARK)}`,
  )
  report.line(
    `  the good caller's failures: ${report.atMost(`abuse, ${shape}, failures`, failed, 0)}`,
  )
  for (const [name, figures] of Object.entries(bad)) {
    const told = Object.entries(figures).map(([what, count]) => `${what} ${String(count)}`)
    report.line(`  ${name.padEnd(16)} ${told.join(', ')}`)
  }
}
