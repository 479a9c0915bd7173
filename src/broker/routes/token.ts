import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answers } from '../answers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import type { GetToken, Served } from '../get_token.ts'
import { bodyOf } from '../servable.ts'
import { rememberingWishes, wishOfBody, type Wish } from '../wish.ts'

/** Serves a request of a caller that is known. */
export type Handler = (
  workload: Workload,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

export interface TokenRouteDependencies {
  readonly getToken: GetToken
  readonly answers: Answers
}

/** `GET` and `POST /v1/token`: the workload's own token, as RFC 6749 section 5.1 answers. */
export function tokenRoutes({ getToken, answers }: TokenRouteDependencies) {
  const wishOfQuery = rememberingWishes()
  const serve = (reply: FastifyReply, { servable, expiresIn }: Served): FastifyReply =>
    answers.send(reply, 'token', bodyOf(servable, expiresIn))
  const answer = (workload: Workload, wish: Wish | BrokerError, reply: FastifyReply) => {
    if (wish instanceof BrokerError) return answers.refuse(reply, 'token', wish)
    const cached = getToken.fromCache(workload, wish)
    // Without a promise: this is the hot path.
    if (cached) return serve(reply, cached)
    return getToken
      .byExchange(workload, wish)
      .then((result) =>
        result instanceof BrokerError
          ? answers.refuse(reply, 'token', result)
          : serve(reply, result),
      )
  }
  const get: Handler = (workload, request, reply) =>
    answer(workload, wishOfQuery(queryOf(request)), reply)
  const post: Handler = (workload, request, reply) => {
    if (queryOf(request) !== '') {
      return answers.refuse(reply, 'token', new BrokerError('query_refused'))
    }
    // Node keeps the first of two, and which of them was meant cannot be known.
    const { 'content-type': types = [] } = request.raw.headersDistinct
    if (types.length > 1) return answers.refuse(reply, 'token', new BrokerError('media_type'))
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    return answer(workload, wishOfBody(types[0], body), reply)
  }
  return { get, post }
}

export function queryOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}
