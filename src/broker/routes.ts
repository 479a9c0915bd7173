import type { FastifyReply, FastifyRequest } from 'fastify'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Answers } from './answers.ts'
import { BrokerError } from './errors.ts'
import type { GetToken, Served } from './get_token.ts'
import { ProofFault, type ProofSource } from './proof.ts'
import { bodyOf } from './servable.ts'
import { rememberingWishes, wishOfBody, type Wish } from './wish.ts'

export interface RoutesDependencies {
  readonly getToken: GetToken
  readonly proofs: ProofSource
  readonly clock: Clock
  readonly answers: Answers
}

export type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

/** `GET` and `POST /v1/token`: the workload's own token, as RFC 6749 section 5.1 answers. */
export function tokenRoutes({ getToken, answers }: RoutesDependencies) {
  const wishOfQuery = rememberingWishes()
  const serve = (reply: FastifyReply, { servable, expiresIn }: Served): FastifyReply =>
    answers.send(reply, 'token', bodyOf(servable, expiresIn))
  const answer = (wish: Wish | BrokerError, reply: FastifyReply) => {
    if (wish instanceof BrokerError) return answers.refuse(reply, 'token', wish)
    const cached = getToken.fromCache(wish)
    // Without a promise: this is the hot path.
    if (cached) return serve(reply, cached)
    return getToken
      .byExchange(wish)
      .then((result) =>
        result instanceof BrokerError
          ? answers.refuse(reply, 'token', result)
          : serve(reply, result),
      )
  }
  const get: Handler = (request, reply) => answer(wishOfQuery(queryOf(request)), reply)
  const post: Handler = (request, reply) => {
    if (queryOf(request) !== '') {
      return answers.refuse(reply, 'token', new BrokerError('query_refused'))
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    return answer(wishOfBody(request.headers['content-type'], body), reply)
  }
  return { get, post }
}

/** `GET /v1/identity`: who this workload is, for people who ask. */
export function identityRoute({ getToken, proofs, clock, answers }: RoutesDependencies): Handler {
  return async (_request, reply) => {
    const proof = proofs.last() ?? (await proofs.read())
    if (proof instanceof ProofFault) {
      return answers.refuse(reply, 'identity', new BrokerError(proof.code))
    }
    const { subject, expiresAt } = proof
    const body = {
      proof: {
        issuer: subject.issuer,
        subject: subject.sub,
        ...(subject.instance !== '' && { pod_uid: subject.instance }),
        expires_in: Math.max(0, expiresAt - unixSeconds(clock)),
      },
      // Known from the first token on; what it may ask for is for the authority to say.
      agent: getToken.agent ?? null,
    }
    return answers.send(reply, 'identity', JSON.stringify(body))
  }
}

function queryOf({ url }: FastifyRequest): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}
