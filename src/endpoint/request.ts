import { OAuthError } from '../oauth/errors.ts'
import { grantNameOf, type GrantName } from '../oauth/grant_types.ts'
import { bodyFormOf } from '../oauth/media_type.ts'
import { Parameters } from '../oauth/parameters.ts'
import { parseScope, type Scope } from '../oauth/scope.ts'
import { isAudience, isResource } from '../oauth/target.ts'
import { readCredentials, type Credentials } from './client/credentials.ts'

/** What came over HTTP, or from the broker of the same process. */
export interface RawRequest {
  readonly contentType: string | undefined
  readonly body: Buffer
  /** Without the question mark. */
  readonly query: string
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  /** Network address of the caller; undefined for the broker of this process. */
  readonly address?: string | undefined
  readonly requestId?: string | undefined
  readonly traceId?: string | undefined
}

/** Parameters that belong to no grant in particular. */
const commonParameters = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'audience',
  'resource',
] as const

/** Parameters that a grant may declare as its own. */
export const grantParameters = [
  'code',
  'redirect_uri',
  'code_verifier',
  'refresh_token',
  'subject_token',
  'subject_token_type',
  'subject_issuer',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
] as const

export type GrantParameter = (typeof grantParameters)[number]

/** Names that some specification of ours gives a meaning to, and that nothing here honours: refused, never passed over. */
const unsupportedParameters = [
  'assertion',
  'authorization_details',
  'jit_task_id',
  'request',
  'request_uri',
] as const

const meaningful: ReadonlySet<string> = new Set([
  ...commonParameters,
  ...grantParameters,
  ...unsupportedParameters,
])

const MAX_TARGETS = 20

declare const parsed: unique symbol

/** A token request that was read once and whole. Only `parseTokenRequest` makes one. */
export interface TokenRequest {
  readonly [parsed]: true
  readonly grant: GrantName
  readonly clientId: string | undefined
  readonly credentials: Credentials | undefined
  readonly scope: Scope | undefined
  /** Audiences and resources, none twice. */
  readonly targets: readonly string[]
  readonly own: Readonly<Partial<Record<GrantParameter, string>>>
  /** A DPoP proof, not verified. */
  readonly dpop: string | undefined
}

/** Reads a request. `declared` tells which parameters a grant takes. */
export function parseTokenRequest(
  raw: RawRequest,
  declared: (grant: GrantName) => readonly GrantParameter[],
): TokenRequest | OAuthError {
  const parameters = readParameters(raw)
  if (parameters instanceof OAuthError) return parameters
  const grantType = parameters.one('grant_type')
  if (grantType === undefined) return missing('grant_type')
  const grant = grantNameOf(grantType)
  if (!grant) return new OAuthError('grant_unsupported')
  const own = ownParameters(parameters, declared(grant))
  if (own instanceof OAuthError) return own
  const credentials = readCredentials(raw.authorization, parameters)
  if (credentials instanceof OAuthError) return credentials
  const scopeText = parameters.one('scope')
  const scope = scopeText === undefined ? undefined : parseScope(scopeText)
  if (scopeText !== undefined && !scope) return new OAuthError('scope_malformed')
  const targets = targetsOf(parameters)
  if (targets instanceof OAuthError) return targets
  return {
    grant,
    clientId: credentials?.clientId ?? parameters.one('client_id'),
    credentials,
    scope,
    targets,
    own,
    dpop: raw.dpop,
  } as TokenRequest
}

/** The body of a request to an endpoint that takes its parameters there and nowhere else. */
export function readParameters(raw: RawRequest): Parameters | OAuthError {
  if (raw.query !== '') return new OAuthError('query_refused')
  const form = bodyFormOf(raw.contentType)
  if (!form) return new OAuthError('media_type')
  const parameters = Parameters.parse(raw.body, form)
  return typeof parameters === 'string' ? new OAuthError(parameters) : parameters
}

export function missing(name: string): OAuthError {
  return new OAuthError('parameter_missing', { detail: `${name} is missing` })
}

function ownParameters(
  parameters: Parameters,
  declared: readonly GrantParameter[],
): TokenRequest['own'] | OAuthError {
  const taken = new Set<string>([...commonParameters, ...declared])
  const refused = parameters.names().find((name) => meaningful.has(name) && !taken.has(name))
  if (refused !== undefined) {
    return new OAuthError('parameter_unsupported', { detail: `${refused} is not taken here` })
  }
  return Object.fromEntries(
    declared.flatMap((name) => {
      const value = parameters.one(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function targetsOf(parameters: Parameters): readonly string[] | OAuthError {
  const audiences = parameters.all('audience')
  const resources = parameters.all('resource')
  if (audiences.length + resources.length > MAX_TARGETS) return new OAuthError('targets_too_many')
  if (!audiences.every(isAudience) || !resources.every(isResource)) {
    return new OAuthError('target_malformed')
  }
  return [...new Set([...audiences, ...resources])]
}
