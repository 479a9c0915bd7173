import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import type { ReviewedWorkload } from '../../../src/verifier/kubernetes/review_answer.ts'
import { TokenReviews, type AskReview } from '../../../src/verifier/kubernetes/token_review.ts'
import { CannotVerify, ProofRefusal } from '../../../src/verifier/refusal.ts'
import { FakeApiServer } from '../../fakes/api_server.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeLog } from '../../fakes/log.ts'

export const ACCOUNT = '11111111-1111-1111-1111-111111111111'
export const POD = '22222222-2222-2222-2222-222222222222'
export const OTHER = '99999999-9999-9999-9999-999999999999'

export const clock = new FakeClock()
export const cluster = new FakeCluster(() => clock.now)
export const { audience } = cluster

export const workload: ReviewedWorkload = {
  subject: 'system:serviceaccount:research:doc-analyst',
  serviceAccount: { name: 'doc-analyst', uid: ACCOUNT },
  pod: { name: 'doc-analyst-0', uid: POD },
}
export const unbound = { ...workload, pod: undefined }

export type Mode = 'preferred' | 'required'

export function setUp(mode: Mode = 'required', ask?: AskReview) {
  const server = new FakeApiServer(cluster, clock)
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const options = { provider: 'prod', mode, ask: ask ?? server.ask }
  const reviews = new TokenReviews(options, { clock, log, metrics })
  const check = async (token: string, of = workload): Promise<string> =>
    outcomeOf(await reviews.check(token, audience, of))
  const counted = async (): Promise<readonly string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('lumo_token_reviews_total'))
  return { server, log, reviews, check, counted }
}

/** `passed`, the code of the refusal, or the seconds to wait. */
function outcomeOf(result: undefined | ProofRefusal | CannotVerify): string {
  if (result instanceof ProofRefusal) return result.code
  return result instanceof CannotVerify ? String(result.retryAfterSeconds) : 'passed'
}

export const token = await cluster.token()
