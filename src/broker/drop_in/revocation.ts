import type { IncomingMessage } from 'node:http'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { accessTokenOf } from '../servable.ts'
import { readShown } from './credentials.ts'
import type { ClientProof } from './guard.ts'
import { readParameters } from './request.ts'

/** Drops what the authority has revoked through this broker, so that the next caller gets a token that is good. */
export function dropRevoked(workload: Workload, raw: IncomingMessage, body: Buffer): void {
  const parameters = readParameters(raw, body)
  if (parameters instanceof BrokerError) return
  const revoked = parameters.one('token')
  for (const [key, servable] of workload.tokens.values()) {
    if (accessTokenOf(servable) === revoked) workload.tokens.drop(key)
  }
  for (const acting of workload.subjects.all()) {
    for (const [, delegated] of acting.tokens.values()) {
      if (accessTokenOf(delegated) === revoked) acting.endToken(delegated)
    }
  }
}

/**
 * What the authority gets of a revocation (RFC 7009 section 2.1) whose client shows what guards the drop-in routes. To the
 * authority that is a wrong secret; holding the token is enough there, so the token goes on alone. Undefined: the client
 * shows something else, or nothing, and is passed on like anybody. One that shows itself in two
 * ways is refused (RFC 6749 section 2.3): one of them may be the guard value, which the authority has no business to read.
 */
export async function revocationBody(raw: IncomingMessage, body: Buffer, prove: ClientProof) {
  const parameters = readParameters(raw, body)
  if (parameters instanceof BrokerError) return undefined
  const shown = readShown(raw.headers.authorization, parameters)
  if (shown instanceof BrokerError && shown.code === 'client_twice') return shown
  const token = parameters.one('token')
  if (token === undefined || shown instanceof BrokerError || shown.clientId === undefined) {
    return undefined
  }
  const client = await prove(shown, raw)
  if (client instanceof BrokerError || !client.proven) return undefined
  // Where there is no guard, everybody is proven: credentials of some other client are for the authority.
  const named = shown.clientId
  if (named !== 'self' && named !== client.workload.agent?.client_id) return undefined
  const hint = parameters.one('token_type_hint')
  const form = new URLSearchParams({
    token,
    ...(hint !== undefined && { token_type_hint: hint }),
  })
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  }
}
