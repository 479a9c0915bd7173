import { matchesRedirectUri } from '../../oauth/redirect_uri.ts'
import { Parameters } from '../../oauth/parameters.ts'
import type { AuthorizationRequest } from './issue_code.ts'
import type { RegisteredClient } from '../client/registered.ts'
import { isPushedUri, type FoundPushed } from './pushed.ts'
import type { Tenant } from '../tenant.ts'

/** Why a request cannot be answered where it says: whoever sent it may not be who it says, so a person is told (RFC 6749 section 4.1.2.1). */
export type PageFault =
  'request_unreadable' | 'client_unknown' | 'redirect_uri_unknown' | 'request_uri_unknown'

/** A fault that the client is told of, at its redirect URI. */
export interface RedirectFault {
  readonly error: string
  readonly description: string
}

/** Where the answer goes. Registered, character by character. */
export interface ReturnPlace {
  readonly client: RegisteredClient
  readonly redirectUri: string
  readonly state: string | undefined
}

export interface Ask extends ReturnPlace {
  readonly request: AuthorizationRequest
  readonly prompt: ReadonlySet<string>
  /** Seconds since the user last showed who they are. */
  readonly maxAge: number | undefined
  readonly loginHint: string | undefined
  /** The client pushed it. */
  readonly pushed: FoundPushed | undefined
}

export type ReadAsk =
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'redirect'; readonly place: ReturnPlace; readonly fault: RedirectFault }
  | { readonly kind: 'page'; readonly fault: PageFault }

/** Known to some specification, and not honoured here: refused (RFC 9101, RFC 9396, OpenID Connect Core sections 3.1.2.1, 5.5 and 6). */
const unsupported: ReadonlyMap<string, string> = new Map([
  ['request', 'request_not_supported'],
  ['request_uri', 'request_uri_not_supported'],
  ['registration', 'registration_not_supported'],
  ['claims', 'invalid_request'],
  ['id_token_hint', 'invalid_request'],
  ['authorization_details', 'invalid_request'],
])
const prompts: ReadonlySet<string> = new Set(['none', 'login', 'consent', 'select_account'])
const MAX_STATE_LENGTH = 2_048
const MAX_HINT_LENGTH = 255

/** Reads an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1). */
export async function readAsk(query: string, tenant: Tenant): Promise<ReadAsk> {
  const shown = Parameters.ofForm(query)
  if (typeof shown === 'string') return { kind: 'page', fault: 'request_unreadable' }
  const requestUri = shown.one('request_uri')
  if (requestUri === undefined || !isPushedUri(requestUri)) return judge(shown, undefined, tenant)
  // What stands beside it could be anybody's (RFC 9101 section 5), and passing it over would hide that.
  if (shown.names().some((name) => name !== 'request_uri' && name !== 'client_id')) {
    return { kind: 'page', fault: 'request_unreadable' }
  }
  const pushed = await tenant.pushed.find(requestUri)
  if (!pushed || pushed.clientId !== shown.one('client_id')) {
    return { kind: 'page', fault: 'request_uri_unknown' }
  }
  const parameters = Parameters.ofForm(pushed.query)
  if (typeof parameters === 'string') return { kind: 'page', fault: 'request_unreadable' }
  return judge(parameters, pushed, tenant)
}

/** Judges the parameters of a request, wherever they stood. */
export async function judge(
  parameters: Parameters,
  pushed: FoundPushed | undefined,
  tenant: Tenant,
): Promise<ReadAsk> {
  const client = await tenant.clients.find(parameters.one('client_id') ?? '')
  if (!client) return { kind: 'page', fault: 'client_unknown' }
  const redirectUri = parameters.one('redirect_uri')
  if (
    redirectUri === undefined ||
    !client.redirectUris.some((uri) => matchesRedirectUri(uri, redirectUri))
  ) {
    return { kind: 'page', fault: 'redirect_uri_unknown' }
  }
  const place = { client, redirectUri, state: parameters.one('state') }
  const fault = faultIn(parameters, place)
  if (fault) return { kind: 'redirect', place, fault }
  const words = (parameters.one('prompt') ?? '').split(' ').filter(Boolean)
  const maxAge = parameters.one('max_age')
  return {
    kind: 'ask',
    ask: {
      ...place,
      prompt: new Set(words),
      maxAge: maxAge === undefined ? undefined : Number(maxAge),
      loginHint: parameters.one('login_hint'),
      pushed,
      request: requestOf(parameters, place),
    },
  }
}

function requestOf(parameters: Parameters, { client, redirectUri }: ReturnPlace) {
  const optional = {
    scope: parameters.one('scope'),
    codeChallenge: parameters.one('code_challenge'),
    codeChallengeMethod: parameters.one('code_challenge_method'),
    nonce: parameters.one('nonce'),
    dpopJkt: parameters.one('dpop_jkt'),
  }
  const given = Object.fromEntries(
    Object.entries(optional).filter(([, value]) => value !== undefined),
  )
  return {
    clientId: client.id,
    redirectUri,
    resources: parameters.all('resource'),
    ...given,
  }
}

function faultIn(parameters: Parameters, { state }: ReturnPlace): RedirectFault | undefined {
  const invalid = (description: string): RedirectFault => ({
    error: 'invalid_request',
    description,
  })
  for (const [name, error] of unsupported) {
    if (parameters.one(name) !== undefined) {
      return { error, description: `${name} is not taken here` }
    }
  }
  if (parameters.one('response_type') !== 'code') {
    return parameters.one('response_type') === undefined
      ? invalid('response_type is missing')
      : { error: 'unsupported_response_type', description: 'response_type must be code' }
  }
  const mode = parameters.one('response_mode')
  if (mode !== undefined && mode !== 'query') return invalid('response_mode must be query')
  if ((state?.length ?? 0) > MAX_STATE_LENGTH) return invalid('state is too long')
  const words = (parameters.one('prompt') ?? '').split(' ').filter(Boolean)
  if (!words.every((word) => prompts.has(word))) return invalid('prompt has an unknown value')
  if (words.includes('none') && words.length > 1) return invalid('prompt none stands alone')
  const maxAge = parameters.one('max_age')
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) return invalid('max_age must be seconds')
  if (!['online', 'offline', undefined].includes(parameters.one('access_type'))) {
    return invalid('access_type must be online or offline')
  }
  return (parameters.one('login_hint')?.length ?? 0) > MAX_HINT_LENGTH
    ? invalid('login_hint is too long')
    : undefined
}

/** Where the browser is sent with an answer: the redirect URI as it stands, and what is added to its query. */
export function locationOf(
  { redirectUri, state }: ReturnPlace,
  issuer: string,
  answer: Readonly<Record<string, string>>,
): string {
  const added = new URLSearchParams({
    ...answer,
    ...(state !== undefined && { state }),
    // RFC 9207: a client of several servers knows by it whose answer this is.
    iss: issuer,
  })
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${added.toString()}`
}
