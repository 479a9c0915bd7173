import { grantTypes } from '../oauth/grant_types.ts'
import { showScope } from '../oauth/scope.ts'
import { isTokenType } from '../oauth/token_types.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import {
  ExchangeFailure,
  type ExchangeRequest,
  type IssuedToken,
  type RefusalMembers,
} from './exchanger.ts'

const MAX_TOKEN_LENGTH = 16_384
const MAX_LIFETIME_SECONDS = 7 * 86_400
const MAX_RETRY_AFTER_SECONDS = 3_600

/** The form body of a token exchange request (RFC 8693 section 2.1). */
export function exchangeForm(request: ExchangeRequest): string {
  const form = new URLSearchParams({
    grant_type: grantTypes.token_exchange,
    subject_token: request.subjectToken,
    subject_token_type: request.subjectTokenType,
  })
  for (const audience of request.audiences) form.append('audience', audience)
  for (const resource of request.resources) form.append('resource', resource)
  if (request.scope) form.set('scope', showScope(request.scope))
  if (request.clientId !== undefined) form.set('client_id', request.clientId)
  const { actor, requestedTokenType } = request
  if (actor) {
    form.set('actor_token', actor.token)
    form.set('actor_token_type', actor.tokenType)
  }
  if (requestedTokenType !== undefined) form.set('requested_token_type', requestedTokenType)
  return form.toString()
}

export interface ExchangeAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
}

/** Judges an answer of a token endpoint, from whichever side of a socket it came. */
export function judgeAnswer(
  answer: ExchangeAnswer,
  request: ExchangeRequest,
): IssuedToken | ExchangeFailure {
  const { status } = answer
  const body = readObject(answer.body)
  if (status === 200) return readToken(body, request)
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = retryAfterOf(answer.retryAfter)
    return new ExchangeFailure(
      'outage',
      status === 429 ? 'authority_busy' : 'authority_unavailable',
      `it answered ${String(status)}`,
      seconds,
    )
  }
  const error = body?.['error']
  // A refusal is what a token endpoint says in its own words. A bare 404 is some other server in its place.
  if (status < 400 || !isWord(error)) {
    return notAnAnswer(`it answered ${String(status)} without an OAuth error`)
  }
  const detail = `it answered ${String(status)}`
  const ofTheRequest =
    error === 'invalid_scope' ||
    error === 'invalid_target' ||
    (error === 'invalid_request' && body?.['code'] === undefined)
  return ofTheRequest
    ? new ExchangeFailure('relayed', error, detail)
    : new ExchangeFailure('refused', error, detail, undefined, membersOf(status, body))
}

const MAX_MEMBER_LENGTH = 512
const MAX_MEMBER = 1_000_000_000

/** What a refusal tells beside its `error`, as far as it is of the kind and size that it should be. */
function membersOf(
  status: number,
  body: Readonly<Record<string, unknown>> | undefined,
): RefusalMembers {
  if (status !== 403) return {}
  const { code, approval, expires_in: expiresIn, max_depth: maxDepth } = body ?? {}
  return {
    ...(isWord(code) && { code }),
    ...(isShortText(approval) && { approval }),
    ...(isCount(expiresIn) && { expires_in: expiresIn }),
    ...(isCount(maxDepth) && { max_depth: maxDepth }),
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z_]{1,64}$/.test(value)
}

function isShortText(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= MAX_MEMBER_LENGTH && /^[\x21-\x7e]+$/.test(value)
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_MEMBER
}

function readToken(
  body: Readonly<Record<string, unknown>> | undefined,
  request: ExchangeRequest,
): IssuedToken | ExchangeFailure {
  const { access_token: token, token_type: type, expires_in: lifetime, scope } = body ?? {}
  const issuedType = body?.['issued_token_type']
  if (
    typeof token !== 'string' ||
    token.length > MAX_TOKEN_LENGTH ||
    !/^[\x21-\x7e]+$/.test(token)
  ) {
    return notAnAnswer('it answered 200 without a usable access_token')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    return notAnAnswer('it answered with a token_type other than Bearer')
  }
  if (!Number.isSafeInteger(lifetime) || (lifetime as number) < 1) {
    return notAnAnswer('it answered without a usable expires_in')
  }
  if (scope !== undefined && (typeof scope !== 'string' || scope.length > MAX_TOKEN_LENGTH)) {
    return notAnAnswer('it answered with a scope that is no text')
  }
  return {
    accessToken: token,
    // Left out means: as asked (RFC 6749 section 5.1).
    scope: scope ?? (request.scope && showScope(request.scope)),
    lifetimeSeconds: Math.min(lifetime as number, MAX_LIFETIME_SECONDS),
    ...(typeof issuedType === 'string' &&
      isTokenType(issuedType) && { issuedTokenType: issuedType }),
  }
}

function notAnAnswer(detail: string): ExchangeFailure {
  return new ExchangeFailure('outage', 'authority_answer_unusable', detail)
}

/** An answer in JSON, where it is an object. */
export function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonFault) return undefined
    throw error
  }
}

/** Seconds; undefined where the header says none that can be read. */
export function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,6}$/.test(header)) return undefined
  return Math.min(Number(header), MAX_RETRY_AFTER_SECONDS)
}
