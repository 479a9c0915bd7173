import type { Clock } from '../platform/clock.ts'
import type { Files } from '../platform/files.ts'
import type { HttpClient } from '../platform/http_client.ts'
import type { Log } from '../platform/log.ts'
import type { ProxyEnvironment } from '../platform/proxy.ts'
import type { Random } from '../platform/random.ts'
import type { PrometheusMetrics } from '../ops/metrics.ts'

/** Everything outside the program that the roles are given. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly files: Files
  readonly http: HttpClient
  /** What the environment says of proxies, for what sends by another client. Absent: nothing. */
  readonly proxyEnv?: ProxyEnvironment
  readonly log: Log
  readonly metrics: PrometheusMetrics
}
