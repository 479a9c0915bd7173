import { OAuthError } from '../oauth/errors.ts'
import { decodeFormText } from '../oauth/form.ts'
import { grantNameOf, type GrantName } from '../oauth/grant_types.ts'
import { bodyFormOf } from '../oauth/media_type.ts'
import { Parameters } from '../oauth/parameters.ts'
import { parseScope, type Scope } from '../oauth/scope.ts'
import { isAudience, isResource } from '../oauth/target.ts'
import type { ClientAuthMethod } from '../config/config.ts'

/** What came over HTTP, or from the broker of the same process. */
export interface RawTokenRequest {
  readonly contentType: string | undefined
  readonly body: Buffer
  /** Without the question mark. */
  readonly query: string
  readonly authorization: string | undefined
  readonly dpop: string | undefined
}

export interface PresentedSecret {
  readonly method: ClientAuthMethod
  readonly clientId: string
  readonly secret: string
}

/** Parameters that belong to no grant in particular. */
const commonParameters = [
  'grant_type',
  'client_id',
  'client_secret',
  'scope',
  'audience',
  'resource',
] as const

/** Parameters that a grant may declare as its own. */
export const grantParameters = [
  'subject_token',
  'subject_token_type',
  'subject_issuer',
  'requested_token_type',
] as const

export type GrantParameter = (typeof grantParameters)[number]

/** Names that some specification of ours gives a meaning to, and that nothing here honours: refused, never passed over. */
const unsupportedParameters = [
  'actor_token',
  'actor_token_type',
  'assertion',
  'authorization_details',
  'client_assertion',
  'client_assertion_type',
  'code',
  'code_verifier',
  'jit_task_id',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
] as const

const meaningful: ReadonlySet<string> = new Set([
  ...commonParameters,
  ...grantParameters,
  ...unsupportedParameters,
])

declare const parsed: unique symbol

/** A token request that was read once and whole. Only `parseTokenRequest` makes one. */
export interface TokenRequest {
  readonly [parsed]: true
  readonly grant: GrantName
  readonly clientId: string | undefined
  readonly presented: PresentedSecret | undefined
  readonly scope: Scope | undefined
  /** Audiences and resources, none twice. */
  readonly targets: readonly string[]
  readonly own: Readonly<Partial<Record<GrantParameter, string>>>
}

/** Reads a request. `declared` tells which parameters a grant takes. */
export function parseTokenRequest(
  raw: RawTokenRequest,
  declared: (grant: GrantName) => readonly GrantParameter[],
): TokenRequest | OAuthError {
  if (raw.query !== '') return new OAuthError('query_refused')
  const form = bodyFormOf(raw.contentType)
  if (!form) return new OAuthError('media_type')
  const parameters = Parameters.parse(raw.body, form)
  if (typeof parameters === 'string') return new OAuthError(parameters)
  if (raw.dpop !== undefined) {
    return new OAuthError('parameter_unsupported', { detail: 'DPoP is not supported' })
  }
  const grantType = parameters.one('grant_type')
  if (grantType === undefined) return missing('grant_type')
  const grant = grantNameOf(grantType)
  if (!grant) return new OAuthError('grant_unsupported')
  const own = ownParameters(parameters, declared(grant))
  if (own instanceof OAuthError) return own
  const presented = presentedSecret(raw.authorization, parameters)
  if (presented instanceof OAuthError) return presented
  const scopeText = parameters.one('scope')
  const scope = scopeText === undefined ? undefined : parseScope(scopeText)
  if (scopeText !== undefined && !scope) return new OAuthError('scope_malformed')
  const targets = targetsOf(parameters)
  if (!targets) return new OAuthError('target_malformed')
  return {
    grant,
    clientId: presented?.clientId ?? parameters.one('client_id'),
    presented,
    scope,
    targets,
    own,
  } as TokenRequest
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

function targetsOf(parameters: Parameters): readonly string[] | undefined {
  const audiences = parameters.all('audience')
  const resources = parameters.all('resource')
  if (!audiences.every(isAudience) || !resources.every(isResource)) return undefined
  return [...new Set([...audiences, ...resources])]
}

/** RFC 6749 section 2.3.1. One way of authentication a request; an equal `client_id` in the body is no second one. */
function presentedSecret(
  authorization: string | undefined,
  parameters: Parameters,
): PresentedSecret | undefined | OAuthError {
  const clientId = parameters.one('client_id')
  const secret = parameters.one('client_secret')
  if (authorization === undefined) {
    if (secret === undefined) return undefined
    if (clientId === undefined) return missing('client_id')
    return { method: 'client_secret_post', clientId, secret }
  }
  const basic = parseBasic(authorization)
  if (!basic)
    return new OAuthError('client_unproven', { basicChallenge: true, detail: 'not HTTP Basic' })
  const second = secret !== undefined || (clientId !== undefined && clientId !== basic.clientId)
  return second ? new OAuthError('client_twice') : basic
}

function parseBasic(authorization: string): PresentedSecret | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  // An empty parameter counts as absent, and an empty secret is none.
  if (colon === -1 || colon === text.length - 1) return undefined
  try {
    return {
      method: 'client_secret_basic',
      clientId: decodeFormText(text.slice(0, colon)),
      secret: decodeFormText(text.slice(colon + 1)),
    }
  } catch {
    return undefined
  }
}
