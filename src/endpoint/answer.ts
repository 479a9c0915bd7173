import { errorBody, OAuthError } from '../oauth/errors.ts'

/** An answer of an endpoint, ready for whatever carries it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The one place that speaks HTTP for every grant and every refusal (RFC 6749 sections 5.1 and 5.2). */
export function answerOf(
  result: object | OAuthError,
  more: Readonly<Record<string, string>> = {},
): Answer {
  const failed = result instanceof OAuthError
  return {
    status: failed ? result.status : 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      ...(failed && refusalHeaders(result)),
      ...more,
    },
    body: JSON.stringify(failed ? errorBody(result) : result),
  }
}

function refusalHeaders({
  basicChallenge,
  retryAfterSeconds,
}: OAuthError): Readonly<Record<string, string>> {
  return {
    ...(basicChallenge && { 'www-authenticate': 'Basic realm="token", charset="UTF-8"' }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  }
}
