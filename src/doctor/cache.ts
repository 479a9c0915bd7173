import { gauges } from '../platform/metrics.ts'
import { showDuration } from '../platform/duration.ts'
import { HttpFailure } from '../platform/http_client.ts'
import { askOperations } from './broker.ts'
import { failed, ok, type Finding } from './finding.ts'
import type { World } from './world.ts'

/** Link 10: what the broker keeps, by its own metrics. */
export async function cacheLink(operations: URL, world: World): Promise<Finding> {
  const answer = await askOperations('/metrics', operations, world)
  const entries =
    answer instanceof HttpFailure || answer.status !== 200
      ? undefined
      : valueOf(gauges.cacheEntries.name, answer.body)
  if (answer instanceof HttpFailure || entries === undefined) {
    const advice = 'is it the operations listener of a broker?'
    return failed('cache', `there are no metrics of a cache at ${operations.host}`, advice)
  }
  const remaining = valueOf(gauges.proofRemaining.name, answer.body)
  const kept = entries === 1 ? '1 token is kept' : `${String(entries)} tokens are kept`
  if (remaining === undefined) return ok('cache', kept)
  if (remaining > 0) {
    return ok('cache', `${kept}; the proof that was read last has ${showDuration(remaining)} left`)
  }
  return failed(
    'cache',
    `${kept}, and the broker holds no proof that is still good`,
    'mend the proof: what is kept is served to its end, and nothing comes after it',
  )
}

/** The sum over the series of a metric in the text format of Prometheus. */
function valueOf(name: string, text: string): number | undefined {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
    .filter((value) => Number.isFinite(value))
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}
