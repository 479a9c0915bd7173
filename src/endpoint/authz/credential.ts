import type { FastifyRequest } from 'fastify'
import { OAuthError } from '../../oauth/errors.ts'

/**
 * The API key that a request shows, not looked at any further: in `X-API-Key`, or as a bearer token, as LumoAuth's SDK for
 * servers sends it. Undefined where it shows none.
 */
export function shownApiKey({ raw, headers }: FastifyRequest): string | OAuthError | undefined {
  const keys = raw.headersDistinct['x-api-key']
  if (keys === undefined) return bearerKey(headers.authorization)
  // Which of them was meant cannot be known, and whoever chose one would choose who asks.
  if (keys.length > 1 || headers.authorization !== undefined) {
    return new OAuthError('client_twice', { reason: 'api_key_twice' })
  }
  return keys[0]
}

/** No JWT begins as a key does. */
function bearerKey(authorization: string | undefined): string | undefined {
  return /^(?i:bearer) +(lmk_[\x21-\x7e]*)$/.exec(authorization ?? '')?.[1]
}
