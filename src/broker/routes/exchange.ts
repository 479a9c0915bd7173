import type { FastifyReply } from 'fastify'
import type { Clock } from '../../platform/clock.ts'
import type { Answers } from '../answers.ts'
import type { Workload } from '../caller/workload.ts'
import type { ActFor, Acted } from '../delegation/act_for.ts'
import { actingFor, ownerOf } from '../delegation/find_acting.ts'
import type { Acting } from '../delegation/acting.ts'
import { rememberingAsks, type ExchangeAsk } from '../delegation/ask.ts'
import { membersOf } from '../delegation/delegated.ts'
import type { Handle } from '../delegation/handle.ts'
import { BrokerError } from '../errors.ts'
import type { LocalGate } from '../local_gate.ts'
import type { KeySubject } from '../../cache/key.ts'
import type { Handler } from './token.ts'

export interface ExchangeRouteDependencies {
  readonly actFor: ActFor
  readonly gate: LocalGate
  readonly clock: Clock
  readonly answers: Answers
}

const WAIT = { 'retry-after': '1' } as const

/** `POST /v1/exchange` and `GET /v1/exchange/{handle}`: a token by which the workload acts for somebody, as RFC 8693 section 2.2.1 answers. */
export function exchangeRoutes(dependencies: ExchangeRouteDependencies) {
  const { actFor, clock, answers } = dependencies
  const askOf = rememberingAsks()
  const refuse = (reply: FastifyReply, error: BrokerError): FastifyReply =>
    answers.refuse(reply, 'exchange', error)
  const serve = (reply: FastifyReply, { delegated, expiresIn }: Acted, status = ''): FastifyReply =>
    answers.send(reply, 'exchange', `{${status}${membersOf(delegated, expiresIn)}}`)
  const wait = (reply: FastifyReply, handle: Handle): FastifyReply => {
    const { id, approval, pendingUntil } = handle
    const expiresIn = Math.max(0, Math.ceil((pendingUntil - clock.monotonic()) / 1000))
    const body = { status: 'pending', handle: id, approval, expires_in: expiresIn }
    const headers = { ...WAIT, location: `/v1/exchange/${id}` }
    return answers.sendAs(reply, 'exchange', { status: 202, headers, body: JSON.stringify(body) })
  }
  const exchange = async (
    workload: Workload,
    acting: Acting,
    wish: ExchangeAsk['wish'],
    reply: FastifyReply,
    status = '',
  ): Promise<FastifyReply> => {
    const result = await actFor.get(workload, acting, wish)
    workload.subjects.forgetIfEmpty(acting)
    if (result instanceof BrokerError) return refuse(reply, result)
    return 'delegated' in result ? serve(reply, result, status) : wait(reply, result)
  }
  const forOwner = (
    owner: KeySubject | BrokerError,
    workload: Workload,
    { behalf, wish }: ExchangeAsk,
    reply: FastifyReply,
  ): FastifyReply | Promise<FastifyReply> => {
    if (owner instanceof BrokerError) return refuse(reply, owner)
    const acting = actingFor(workload, owner, behalf, dependencies)
    if (acting instanceof BrokerError) return refuse(reply, acting)
    const cached = actFor.fromCache(acting, wish)
    // Without a promise: this is the hot path.
    return cached ? serve(reply, cached) : exchange(workload, acting, wish, reply)
  }
  const post: Handler = (workload, request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const ask = askOf(request.raw, body)
    if (ask instanceof BrokerError) return refuse(reply, ask)
    const owner = ownerOf(workload)
    if (!(owner instanceof Promise)) return forOwner(owner, workload, ask, reply)
    return owner.then((found) => forOwner(found, workload, ask, reply))
  }
  /** What became of it, again and again until the user has decided. */
  const get: Handler = async (workload, request, reply) => {
    if (request.raw.url?.includes('?') === true)
      return refuse(reply, new BrokerError('parameter_unknown'))
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) return refuse(reply, owner)
    const { handle: id = '' } = request.params as { handle?: string }
    const handle = workload.subjects.handle(id, owner)
    if (handle instanceof BrokerError) return refuse(reply, handle)
    const { state, acting, wish } = handle
    switch (state.status) {
      case 'pending':
        acting.touch()
        return wait(reply, handle)
      case 'approved':
        return exchange(workload, acting, wish, reply, '"status":"approved",')
      case 'denied':
      case 'expired':
        return answers.send(
          reply,
          'exchange',
          stateBody(state.status, new BrokerError(`consent_${state.status}`)),
        )
      case 'failed':
        return answers.send(reply, 'exchange', stateBody('failed', state.error))
    }
  }
  return { post, get }
}

/** The question was answered, and with no token: to ask was no mistake, so this is no error of HTTP. */
function stateBody(status: string, error: BrokerError): string {
  return `{"status":"${status}",${error.body().slice(1)}`
}
