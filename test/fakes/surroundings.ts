import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemFiles } from '../../src/platform/files.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { systemClock, type Clock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeLog } from './log.ts'

/** The world for a test of the whole program: real files, sockets and metrics, a log that remembers, any clock. */
export function testSurroundings(clock: Clock = systemClock) {
  return {
    clock,
    random: systemRandom,
    files: systemFiles,
    http: nodeHttpClient(systemClock, {}),
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  }
}
