import { isJsonObject, JsonFault, parseStrictJson } from '../../platform/strict_json.ts'
import { ProofRefusal } from '../refusal.ts'
import { parseAmzDate, parseAuthorization, type SigV4Authorization } from './authorization.ts'
import { parseStsHost, type StsHost } from './endpoints.ts'
import { AUDIENCE_HEADER, hasExactly, parseHeaders } from './signed_headers.ts'

declare const wellFormed: unique symbol

/** A request for GetCallerIdentity whose form is right. Who signed it only STS can say. */
export interface SignedRequest extends StsHost {
  readonly [wellFormed]: true
  /** The value of `x-lumo-audience`. */
  readonly audience: string
  /** `X-Amz-Date` as it was signed, `YYYYMMDDTHHMMSSZ`. */
  readonly amzDate: string
  /** The same in Unix seconds. */
  readonly signedAt: number
  readonly authorization: SigV4Authorization
  readonly securityToken: string | undefined
  /** The headers that were signed, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>
}

/** Longer tokens are refused before anything in them is read. */
const MAX_BYTES = 16_384

/** The only request that is ever made, whatever was sent. */
export const GET_CALLER_IDENTITY = '?Action=GetCallerIdentity&Version=2011-06-15'

const MUST_BE_SIGNED = ['host', 'x-amz-date', AUDIENCE_HEADER]

const refuse = (code: ProofRefusal['code'], detail: string) => new ProofRefusal(code, detail)

/**
 * Reads a subject token of type `urn:ietf:params:aws:token-type:aws4_request`: the URI-encoded JSON of `url`, `method`
 * and `headers` that Google's workload identity federation made common, with `x-lumo-audience` as its bound header.
 * All that does not depend on a provider is checked here; nothing of the URL is kept but its host.
 * https://github.com/googleapis/google-auth-library-nodejs/blob/main/src/auth/awsclient.ts
 */
export function parseSignedRequest(text: string): SignedRequest | ProofRefusal {
  if (Buffer.byteLength(text) > MAX_BYTES) return refuse('too_large', 'the request is too long')
  const request = decode(text)
  if (!isJsonObject(request) || !hasExactly(request, ['url', 'method', 'headers'])) {
    return refuse('request_malformed', 'not the encoded JSON of url, method and headers')
  }
  if (request['method'] !== 'POST') return refuse('request_not_allowed', 'method is not POST')
  const sts = parseUrl(request['url'])
  if (sts instanceof ProofRefusal) return sts
  const headers = parseHeaders(request['headers'])
  return headers instanceof ProofRefusal ? headers : judgeHeaders(sts, headers)
}

function decode(text: string): unknown {
  try {
    return parseStrictJson(decodeURIComponent(text))
  } catch (error) {
    if (error instanceof JsonFault || error instanceof URIError) return undefined
    throw error
  }
}

/**
 * The URL as one text, not through a URL parser: with a parser each of port, credentials, fragment, dot segments,
 * escapes and repeated or differently written keys (CVE-2022-2385) has to be thought of, here none does. Google's client
 * writes no slash before the question mark.
 */
function parseUrl(url: unknown): StsHost | ProofRefusal {
  if (typeof url !== 'string') return refuse('request_malformed', 'url is no text')
  const [, host = ''] =
    /^https:\/\/([a-z0-9.-]{1,128})\/?\?Action=GetCallerIdentity&Version=2011-06-15$/.exec(url) ??
    []
  const sts = parseStsHost(host)
  return (
    sts ??
    refuse('request_not_allowed', 'url is not that of GetCallerIdentity at a regional host of STS')
  )
}

function judgeHeaders(
  sts: StsHost,
  headers: ReadonlyMap<string, string>,
): SignedRequest | ProofRefusal {
  const authorization = parseAuthorization(headers.get('authorization') ?? '')
  if (!authorization)
    return refuse('request_malformed', 'authorization is missing or not of its form')
  const unsigned = unsignedHeader(authorization.signedHeaders, headers)
  if (unsigned) return unsigned
  const amzDate = headers.get('x-amz-date') ?? ''
  const signedAt = parseAmzDate(amzDate)
  if (signedAt === undefined) return refuse('request_malformed', 'x-amz-date is not of its form')
  if (authorization.date !== amzDate.slice(0, 8) || authorization.region !== sts.region) {
    return refuse('request_malformed', 'the scope of the signature is not that of the request')
  }
  if (headers.get('host') !== sts.host) {
    return refuse('request_malformed', 'the host header is not the host of the url')
  }
  const signed: ReadonlyMap<string, string> = new Map(
    authorization.signedHeaders.map((name) => [name, headers.get(name) ?? '']),
  )
  return {
    ...sts,
    audience: headers.get(AUDIENCE_HEADER) ?? '',
    amzDate,
    signedAt,
    authorization,
    securityToken: headers.get('x-amz-security-token'),
    headers: signed,
  } as SignedRequest
}

/** What is not signed, anybody on the way could have changed or added. */
function unsignedHeader(
  signed: readonly string[],
  headers: ReadonlyMap<string, string>,
): ProofRefusal | undefined {
  const needed = [...headers.keys()].filter((name) => name !== 'authorization')
  if ([...needed, ...MUST_BE_SIGNED].some((name) => !signed.includes(name))) {
    return refuse(
      'header_unsigned',
      `all headers have to be signed, and ${MUST_BE_SIGNED.join(', ')} have to be among them`,
    )
  }
  if (signed.every((name) => headers.has(name) && name !== 'authorization')) return undefined
  return refuse('request_malformed', 'a header was signed that was not sent')
}
