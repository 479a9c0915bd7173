import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { printable } from '../platform/printable.ts'
import type { Random } from '../platform/random.ts'
import { admit, type Admission, type AdmissionDependencies } from './admit.ts'
import { answerOf } from './answer.ts'
import { boundBodies, BodiesFault, ImmodestBody } from './bodies.ts'
import { podReader } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'
import { readReview, ReviewFault } from './review.ts'

export type { Trusted } from './admit.ts'

export interface WebhookListenerDependencies extends Omit<AdmissionDependencies, 'drawSecret'> {
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** The API server takes objects of 3 MB at most, and asks about one that is made, so that the review holds no older one. */
const BODY_LIMIT = 4_194_304
const GUARD_BYTES = 32
const OWN_FAULT = 'the webhook failed; its log says why'

/**
 * What the API server asks before a pod is made: `POST /mutate`. It changes nothing but the pod that it is asked about, so a dry
 * run is answered like any other.
 */
export function webhookListener(dependencies: WebhookListenerDependencies): FastifyInstance {
  const { log, metrics } = dependencies
  const count = (outcome: 'injected' | 'untouched' | 'refused' | 'failed' | 'malformed'): void => {
    metrics.tally('admissions', { outcome }).add()
  }
  const fault = (reply: FastifyReply, status: number, message: string): FastifyReply => {
    count('malformed')
    return reply.code(status).send({ message })
  }
  const readPod = podReader()
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    frameworkErrors: (_error, _request, reply) => {
      void fault(reply, 400, 'The request cannot be read.')
    },
  })
  // Fastify would read text as well, of which no review can be made.
  app.removeAllContentTypeParsers()
  boundBodies(app, BODY_LIMIT)
  app.setErrorHandler((error: { code?: string; statusCode?: number }, _request, reply) => {
    const known = faults[error.code ?? '']
    if (known) return fault(reply, ...known)
    if (error instanceof BodiesFault) {
      void reply.header('retry-after', '1')
      return fault(reply, 429, 'Too many bodies are being read.')
    }
    if (error instanceof ImmodestBody) {
      return fault(reply, 400, 'The body has more parts or levels than a pod may have.')
    }
    if (error.statusCode === 400)
      return fault(reply, 400, 'The body is no JSON, or has a member that no object may have.')
    log.error('a request failed', causeOf(error))
    return fault(reply, 503, OWN_FAULT)
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ message: 'There is nothing here.' }),
  )
  app.post('/mutate', (request, reply) => {
    const review = readReview(request.body, readPod)
    if (review instanceof ReviewFault) return fault(reply, 400, review.message)
    const { outcome, warnings } = decide(review, dependencies)
    if (outcome instanceof InjectionRefusal) {
      count(outcome.code === 503 ? 'failed' : 'refused')
      log.info('a pod was not admitted', { reason: outcome.message, ...whereabouts(review) })
    } else count(outcome.length > 0 ? 'injected' : 'untouched')
    return reply.send(answerOf(review.uid, outcome, warnings))
  })
  return app
}

type Reviewed = Exclude<ReturnType<typeof readReview>, ReviewFault>

/** A fault of ours is never told as the author's: whoever is refused for it may ask again. */
function decide(review: Reviewed, dependencies: WebhookListenerDependencies): Admission {
  if ('refusal' in review) return { outcome: review.refusal, warnings: [] }
  const { random, log } = dependencies
  const drawSecret = () => random.bytes(GUARD_BYTES).toString('base64url')
  try {
    return admit(review.pod, { ...dependencies, drawSecret })
  } catch (error) {
    log.error('a pod could not be looked at', { ...causeOf(error), ...whereabouts(review) })
    return { outcome: new InjectionRefusal(OWN_FAULT, 503), warnings: [] }
  }
}

/** Which pod it is about, as far as it has names yet. */
function whereabouts(review: Reviewed) {
  if ('refusal' in review) return {}
  const { namespace, pod } = review
  const { name, generateName = '' } = pod.metadata
  return { namespace: printable(namespace, 253), pod: printable(name ?? generateName, 253) }
}

const faults: Readonly<Record<string, readonly [status: number, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'The body is longer than 4 MiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'The body must be application/json.'],
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: [415, 'The body must be application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'The body is empty.'],
}
