import type { FastifyRequest } from 'fastify'
import { OAuthError } from '../oauth/errors.ts'
import { causeOf } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { StoreFault } from '../store/store.ts'
import type { RawRequest } from './request.ts'

/** What a request brings that endpoints look at. */
export function rawOf(request: FastifyRequest, requestId: string): RawRequest {
  const { body, headers, url } = request
  const at = url.indexOf('?')
  return {
    contentType: headers['content-type'],
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    query: at === -1 ? '' : url.slice(at + 1),
    authorization: headers.authorization,
    dpop: typeof headers['dpop'] === 'string' ? headers['dpop'] : undefined,
    address: request.ip,
    requestId,
    traceId: traceIdOf(headers['traceparent']),
  }
}

/**
 * UUIDs, trace ids, ULIDs. Nothing wider: it comes into the audit trail, and a secret that a caller misplaced must not fit
 * (`lmk_…`, a JWT, 256 bits in hexadecimal).
 */
const REQUEST_ID = /^(?:[0-9a-fA-F-]{16,36}|[0-9A-HJKMNP-TV-Z]{26})$/

/** The id by which the caller knows a request, or one of ours where it gave none that we can take over. */
export function requestIdOf({ headers }: FastifyRequest, random: Random): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : random.uuid()
}

/** W3C Trace Context: nothing but hexadecimal digits is taken over. */
function traceIdOf(traceparent: string | string[] | undefined): string | undefined {
  if (typeof traceparent !== 'string') return undefined
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1]
}

/** Node keeps the first of two such headers, or joins them, and which of them was meant cannot be known. */
export function repeatedHeader({ raw }: FastifyRequest): OAuthError | undefined {
  const { authorization, dpop, 'content-type': contentType } = raw.headersDistinct
  if ((authorization?.length ?? 0) > 1) return new OAuthError('client_twice')
  if ((dpop?.length ?? 0) > 1) return new OAuthError('dpop_invalid', { reason: 'dpop_many' })
  return (contentType?.length ?? 0) > 1 ? new OAuthError('media_type') : undefined
}

/** Does the work of an endpoint; what it throws becomes a refusal that is no fault of the caller. */
export async function attempt(
  work: () => Promise<object | OAuthError>,
): Promise<object | OAuthError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreFault) {
      return new OAuthError('store_down', { detail: error.message, retryAfterSeconds: 1 })
    }
    return new OAuthError('unexpected', { detail: JSON.stringify(causeOf(error)) })
  }
}
