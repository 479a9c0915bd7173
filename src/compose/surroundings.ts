import type { Clock } from '../platform/clock.ts'
import type { Files } from '../platform/files.ts'
import type { HttpClient } from '../platform/http_client.ts'
import type { Log } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { PrometheusMetrics } from '../ops/metrics.ts'

/** Everything outside the program that the roles are given. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly files: Files
  readonly http: HttpClient
  readonly log: Log
  readonly metrics: PrometheusMetrics
}
