import { grantTypes } from '../oauth/grant_types.ts'
import { showScope } from '../oauth/scope.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { ExchangeFailure, type ExchangeRequest, type IssuedToken } from './exchanger.ts'

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
      'authority_unavailable',
      `it answered ${String(status)}`,
      seconds,
    )
  }
  const error = body?.['error']
  // A refusal is what a token endpoint says in its own words. A bare 404 is some other server in its place.
  if (status < 400 || typeof error !== 'string' || !/^[a-z_]{1,64}$/.test(error)) {
    return notAnAnswer(`it answered ${String(status)} without an OAuth error`)
  }
  const detail = `it answered ${String(status)}`
  const ofTheRequest =
    error === 'invalid_scope' ||
    error === 'invalid_target' ||
    (error === 'invalid_request' && body?.['code'] === undefined)
  return new ExchangeFailure(ofTheRequest ? 'relayed' : 'refused', error, detail)
}

function readToken(
  body: Readonly<Record<string, unknown>> | undefined,
  request: ExchangeRequest,
): IssuedToken | ExchangeFailure {
  const { access_token: token, token_type: type, expires_in: lifetime, scope } = body ?? {}
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
    scope: scope ?? showScope(request.scope ?? []),
    lifetimeSeconds: Math.min(lifetime as number, MAX_LIFETIME_SECONDS),
  }
}

function notAnAnswer(detail: string): ExchangeFailure {
  return new ExchangeFailure('outage', 'authority_answer_unusable', detail)
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonFault) return undefined
    throw error
  }
}

function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,6}$/.test(header)) return undefined
  return Math.min(Number(header), MAX_RETRY_AFTER_SECONDS)
}
