import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answers } from '../answers.ts'
import type { Workload } from '../caller/workload.ts'
import { unproven } from '../drop_in/credentials.ts'
import { DropInExchange, type DropInExchangeDependencies } from '../drop_in/exchange.ts'
import type { ClientProof } from '../drop_in/guard.ts'
import { readDropIn, type DropInRequest } from '../drop_in/request.ts'
import { BrokerError } from '../errors.ts'
import { bodyOf } from '../servable.ts'
import type { Wish } from '../wish.ts'

export interface DropInRouteDependencies extends DropInExchangeDependencies {
  /** The one that is served. */
  readonly tenant: string
  readonly prove: ClientProof
  readonly answers: Answers
}

/** Serves a request that passed the guards which need no header of ours. */
export type OpenHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

/**
 * The token endpoint of the tenant as OAuth clients know it, for those that were pointed here and know no broker (RFC 6749
 * section 3.2). They cannot set our header: their client secret stands for it.
 */
export function dropInRoute(dependencies: DropInRouteDependencies): OpenHandler {
  const { tenant, answers } = dependencies
  const exchange = new DropInExchange(dependencies)
  return async (request, reply) => {
    const result =
      tenantOf(request) === tenant
        ? await serve(request, exchange, dependencies)
        : new BrokerError('tenant_unknown')
    return typeof result === 'string'
      ? answers.send(reply, 'drop_in', result)
      : answers.refuse(reply, 'drop_in', result)
  }
}

/** Gives the body of the answer. */
async function serve(
  { raw, body }: FastifyRequest,
  exchange: DropInExchange,
  { prove, getToken }: DropInRouteDependencies,
): Promise<string | BrokerError> {
  const read = readDropIn(raw, Buffer.isBuffer(body) ? body : Buffer.alloc(0))
  if (read instanceof BrokerError) return read
  const client = await prove(read.shown, raw)
  if (client instanceof BrokerError) return client
  const { workload } = client
  const missing = missingOf(read, client.proven)
  if (missing) return missing
  if (!workload.rate.take()) return new BrokerError('rate_limited', { retryAfterSeconds: 1 })
  const asked = read.asked()
  if (asked instanceof BrokerError) return asked
  const { wish } = asked
  if (asked.grant === 'client_credentials') return ownBody(workload, wish, getToken)
  // Without a name, too, nothing of ours is added: whoever needs that says who they are.
  const proven = client.proven && isNamed(read)
  const result = await exchange.run(workload, { wish, tokens: asked.tokens, proven })
  if (result instanceof BrokerError) return result
  return JSON.stringify({
    access_token: result.accessToken,
    issued_token_type: result.issuedTokenType,
    token_type: 'Bearer',
    expires_in: result.expiresIn,
    scope: result.scope,
  })
}

/**
 * What a client has to show. The SDKs exchange tokens without client authentication, and so may they here: whoever shows the
 * workload's own token could do the same at the authority, and what of ours would be added is refused to them.
 */
function missingOf(read: DropInRequest, proven: boolean): BrokerError | undefined {
  if (read.isExchange) return undefined
  if (!proven) return unproven(read.shown.byHeader)
  return isNamed(read) ? undefined : new BrokerError('client_id_missing')
}

/** An assertion names its client itself (RFC 7521 section 4.2). */
function isNamed({ shown }: DropInRequest): boolean {
  return shown.clientId !== undefined || shown.assertion !== undefined
}

async function ownBody(
  workload: Workload,
  wish: Wish,
  getToken: DropInRouteDependencies['getToken'],
): Promise<string | BrokerError> {
  const served = getToken.fromCache(workload, wish) ?? (await getToken.byExchange(workload, wish))
  return served instanceof BrokerError ? served : bodyOf(served.servable, served.expiresIn)
}

/** The tenant that a path of one of both prefixes names. */
export function tenantOf({ params }: Pick<FastifyRequest, 'params'>): string | undefined {
  return (params as { tenant?: string }).tenant
}
