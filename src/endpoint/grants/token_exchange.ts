import { OAuthError } from '../../oauth/errors.ts'
import {
  isSubjectTokenType,
  isTokenType,
  subjectTokenTypes,
  tokenTypes,
  type SubjectTokenType,
  type TokenType,
} from '../../oauth/token_types.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import { missing, type TokenRequest } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import { delegation } from './profiles/delegation.ts'
import { impersonation } from './profiles/impersonation.ts'
import { narrowing } from './profiles/narrowing.ts'
import { readOwn, saysOurs } from './profiles/own_token.ts'
import { workloadIdentity } from './profiles/workload_identity.ts'
import type { Authorization, Caller, Grant } from './grant.ts'

/**
 * Token exchange (RFC 8693). Which profile a request is follows from what it shows: a token of somebody else is a proof of
 * the platform; one of ours with an actor is delegation, alone it is narrowed for its own client, and another client that
 * authenticates asks to take the user's place.
 */
export const tokenExchange: Grant = {
  name: 'token_exchange',
  parameters: [
    'subject_token',
    'subject_token_type',
    'subject_issuer',
    'actor_token',
    'actor_token_type',
    'requested_token_type',
  ],
  clientAuthentication: 'optional',
  async authorize(request, caller, tenant) {
    const types = readTypes(request)
    if (types instanceof OAuthError) return types
    const authorization = await authorizeProfile(request, types, caller, tenant)
    if (authorization instanceof OAuthError) return authorization
    return { ...authorization, issuedTokenType: types.requested }
  },
}

interface Types {
  readonly subjectToken: string
  readonly subjectType: SubjectTokenType
  readonly actorToken: string | undefined
  readonly requested: TokenType
}

async function authorizeProfile(
  request: TokenRequest,
  { subjectToken, subjectType, actorToken }: Types,
  caller: Caller,
  tenant: Tenant,
): Promise<Authorization | OAuthError> {
  const { subject_issuer: hint } = request.own
  if (subjectType === subjectTokenTypes.aws4_request) {
    if (actorToken !== undefined) {
      return new OAuthError('token_refused', { reason: 'actor_with_proof' })
    }
    return workloadIdentity({ awsRequest: subjectToken }, request, caller, tenant)
  }
  const jws = parseCompactJws(subjectToken)
  // What cannot be read at all is held to the rules of a proof, which refuse it.
  if (typeof jws === 'string' || !saysOurs(jws, tenant)) {
    // A platform's token is no access token of ours, whatever its type is called.
    if (subjectType !== tokenTypes.jwt) {
      return new OAuthError('token_refused', { reason: 'subject_foreign' })
    }
    if (actorToken !== undefined) {
      return new OAuthError('token_refused', { reason: 'actor_with_proof' })
    }
    return workloadIdentity(typeof jws === 'string' ? subjectToken : jws, request, caller, tenant)
  }
  if (hint !== undefined && hint !== tenant.issuer) {
    return new OAuthError('token_refused', { reason: 'subject_issuer_mismatch' })
  }
  const subject = await readOwn('subject', jws, caller, tenant)
  if (subject instanceof OAuthError) return subject
  if (actorToken !== undefined) {
    const actor = await readOwn('actor', actorToken, caller, tenant)
    if (actor instanceof OAuthError) return actor
    return delegation(subject, actor, request, caller, tenant)
  }
  const { client } = caller
  return client && client.id !== subject.clientId
    ? impersonation(subject, client, caller, tenant)
    : narrowing(subject, request, tenant)
}

/** RFC 8693 section 2.1: `actor_token_type` goes with `actor_token` and never without. */
function readTypes({ own }: TokenRequest): Types | OAuthError {
  const { subject_token: subjectToken, subject_token_type: subjectType } = own
  const { actor_token: actorToken, actor_token_type: actorType } = own
  const requested = own.requested_token_type ?? tokenTypes.access_token
  if (subjectToken === undefined) return missing('subject_token')
  if (subjectType === undefined) return missing('subject_token_type')
  if ((actorToken === undefined) !== (actorType === undefined)) {
    return missing(actorToken === undefined ? 'actor_token' : 'actor_token_type')
  }
  if (!isSubjectTokenType(subjectType)) return unsupported('subject_token_type')
  if (actorType !== undefined && !isTokenType(actorType)) return unsupported('actor_token_type')
  if (!isTokenType(requested)) return unsupported('requested_token_type')
  return { subjectToken, subjectType, actorToken, requested }
}

function unsupported(name: string): OAuthError {
  return new OAuthError('token_type_unsupported', { detail: `${name} is none of ours` })
}
