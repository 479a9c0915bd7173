import type { OAuthError } from '../oauth/errors.ts'
import { subjectTokenTypes } from '../oauth/token_types.ts'
import type { Authorization, Caller } from './grants/grant.ts'
import type { Limits } from './limits.ts'
import type { TokenRequest } from './request.ts'
import type { Tenant } from './tenant.ts'

/**
 * Most failures cost no more than they are worth, and their address is held back afterwards. A question to STS, and the row
 * that remembers a DPoP proof, are what somebody unproven makes others do, so that they are not done for an address that has
 * failed too often.
 */
export function holdBack(
  { credentials, dpop, own }: TokenRequest,
  address: string | undefined,
  limits: Limits,
): OAuthError | undefined {
  const costly = dpop !== undefined || own.subject_token_type === subjectTokenTypes.aws4_request
  return costly && !credentials ? limits.exhausted(address) : undefined
}

/**
 * Charged only when the grant has proven who asks: before that anybody could have used up the budget of whom they named. And
 * to the grant, for whoever holds one token of a client could have used up that of all others. What the trust policy gives an
 * agent is counted in exchanges, whoever asked.
 */
export function chargeProven(
  { grant }: TokenRequest,
  { authenticated }: Caller,
  authorization: Authorization,
  { slug }: Tenant,
  limits: Limits,
): OAuthError | undefined {
  const { charge, grantId = '' } = authorization
  const over = authenticated
    ? undefined
    : limits.spend(charge ?? { kind: 'grant', tenant: slug, id: grantId })
  if (over || grant !== 'token_exchange') return over
  return limits.spendOfParty(slug, authorization)
}
