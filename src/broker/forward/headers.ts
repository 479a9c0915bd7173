import type { IncomingMessage } from 'node:http'
import type { LinkAnswer } from '../../exchange/link.ts'
import { BrokerError } from '../errors.ts'

const MAX_LENGTH = 1_024

/**
 * What of a caller's headers goes on: its own `Authorization`, of which there must be one, and what the authority needs to
 * read the request. A cookie, a forwarding header or whatever else stands there stays here.
 */
export function headersToPass({
  headers,
  headersDistinct,
}: IncomingMessage): Readonly<Record<string, string>> | BrokerError {
  const { authorization = [], 'content-type': contentType = [] } = headersDistinct
  const [credential] = authorization
  if (credential === undefined || authorization.length > 1) {
    return new BrokerError('authorization_missing')
  }
  // A proof names the URL that it was made for (RFC 9449 section 4.2), and that is this one.
  if (headers['dpop'] !== undefined || /^dpop(\s|$)/i.test(credential)) {
    return new BrokerError('dpop_not_forwarded')
  }
  if (!/^(bearer|basic) +[\x21-\x7e]+$/i.test(credential)) {
    return new BrokerError('authorization_missing')
  }
  if (contentType.length > 1) return new BrokerError('body_malformed')
  return {
    authorization: credential,
    ...kept('content-type', contentType[0]),
    ...kept('accept', headers.accept),
    ...traceOf(headers['traceparent']),
  }
}

/**
 * Whether a body is encoded (RFC 9110 section 8.4). The header does not go on, and the authority would take the encoded bytes
 * for what they encode.
 */
export function isEncoded({ headers }: IncomingMessage): boolean {
  const { 'content-encoding': coding = 'identity' } = headers
  return coding.toLowerCase() !== 'identity'
}

const statuses = { first: 200, last: 599 }
/** What a program reads as text. Anything else could be a page, and this address is on the caller's own machine. */
const readable = /^(application\/(problem\+)?json|text\/plain)( *; *charset="?utf-8"?)?$/i

/** What of the authority's answer goes on; undefined: it cannot. */
export function headersOfAnswer(answer: LinkAnswer): Readonly<Record<string, string>> | undefined {
  const { status, body } = answer
  if (status < statuses.first || status > statuses.last) return undefined
  // Whoever followed would show its credential to another place.
  if (status >= 300 && status < 400) return undefined
  const contentType = answer.header('content-type')?.trim()
  if (body !== '' && !readable.test(contentType ?? '')) return undefined
  return {
    ...(body !== '' && contentType !== undefined && { 'content-type': contentType }),
    ...kept('www-authenticate', answer.header('www-authenticate')),
    ...kept('retry-after', answer.header('retry-after')),
  }
}

function kept(name: string, value: string | undefined): Readonly<Record<string, string>> {
  if (value === undefined || value.length > MAX_LENGTH || !/^[\x20-\x7e]+$/.test(value)) return {}
  return { [name]: value }
}

/** W3C Trace Context. One that is malformed could carry anything. */
function traceOf(value: string | readonly string[] | undefined): Readonly<Record<string, string>> {
  if (typeof value !== 'string') return {}
  const [, trace, span] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(value) ?? []
  if (trace === undefined || span === undefined) return {}
  return /^0+$/.test(trace) || /^0+$/.test(span) ? {} : { traceparent: value }
}
