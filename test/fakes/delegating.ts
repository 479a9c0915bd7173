import { ExchangeFailure, type ExchangeRequest } from '../../src/exchange/exchanger.ts'
import { unixSeconds, type Clock } from '../../src/platform/clock.ts'
import { parseCompactJws } from '../../src/verifier/jws.ts'
import { TENANT_ISSUER } from './acting_world.ts'
import { proofOf } from './broker.ts'

const LIFETIME_SECONDS = 3_600

type Claims = Readonly<Record<string, unknown>>

/** A user's access token, unsigned: brokers leave the signature to the authority. */
export function userToken(clock: Clock, claims: Claims = {}): string {
  const iat = unixSeconds(clock)
  const exp = iat + LIFETIME_SECONDS
  return proofOf({ iss: TENANT_ISSUER, sub: 'user_a', client_id: 'app', iat, exp, ...claims })
}

/**
 * What an authority issues, for `tokenOf` of one that fails as a test says. For a proof: the agent's own token, by the name
 * of the service account. For a subject and an actor: the subject's, with the actor outermost in `act` (RFC 8693 section
 * 4.1). Without an actor: as the subject token is. Nothing lives longer than what it came of.
 */
export function delegatingTokens(
  clock: Clock,
): (count: number, request: ExchangeRequest) => string {
  return (count, { subjectToken, clientId, audiences, actor }) => {
    const subject = claimsOf(subjectToken)
    const iat = unixSeconds(clock)
    const exp = Math.min(iat + LIFETIME_SECONDS, Number(subject['exp']))
    const common = { iat, exp, jti: `t${String(count)}`, aud: audiences }
    if (subject['iss'] !== TENANT_ISSUER) {
      const name = clientId ?? String(subject['sub']).split(':').at(-1) ?? ''
      return proofOf({ iss: TENANT_ISSUER, sub: `agent:${name}`, client_id: name, ...common })
    }
    if (!actor) return proofOf({ ...subject, ...common })
    const { iss, sub, client_id } = claimsOf(actor.token)
    const { act: before } = subject
    const act = { iss, sub, client_id, ...(before !== undefined && { act: before }) }
    return proofOf({ ...subject, ...common, client_id, act })
  }
}

/** As an authority answers where the user has yet to agree. */
export function consentMissing(approval: string): ExchangeFailure {
  const members = { code: 'consent_required', approval, expires_in: 600 }
  return new ExchangeFailure('refused', 'access_denied', 'it answered 403', undefined, members)
}

/** What a token says. Of a text that is none: nothing. */
export function claimsOf(token: string): Claims {
  const jws = parseCompactJws(token)
  return typeof jws === 'string' ? {} : jws.payload
}
