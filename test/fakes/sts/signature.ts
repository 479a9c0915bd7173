import { createHash, createHmac } from 'node:crypto'

/** A request as it came over the wire. Names of headers in lower case, as `node:http` gives them. */
export interface WireRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface SigningKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What was signed, by whom and for which region; or the error code that AWS has for it. */
export type SignatureVerdict =
  { readonly accessKeyId: string; readonly region: string } | { readonly error: string }

/** 15 minutes, both ways. */
const WINDOW_MS = 900_000

/**
 * Computes the Signature Version 4 of a request anew, over the headers that its `Authorization` says were signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function checkSignature(
  request: WireRequest,
  keyOf: (accessKeyId: string) => SigningKey | undefined,
  now: number,
): SignatureVerdict {
  const given = request.headers['authorization']
  if (given === undefined) return { error: 'MissingAuthenticationToken' }
  const [algorithm, ...rest] = given.split(' ')
  const fields = new Map(
    rest
      .join('')
      .split(',')
      .map((field) => split(field, '=')),
  )
  const scope = (fields.get('Credential') ?? '').split('/')
  const [accessKeyId = '', day = '', region = '', service, terminator] = scope
  const names = (fields.get('SignedHeaders') ?? '').split(';')
  if (algorithm !== 'AWS4-HMAC-SHA256' || scope.length !== 5)
    return { error: 'IncompleteSignature' }
  const key = keyOf(accessKeyId)
  if (!key || request.headers['x-amz-security-token'] !== key.sessionToken) {
    return { error: 'InvalidClientTokenId' }
  }
  const date = request.headers['x-amz-date'] ?? ''
  const good =
    service === 'sts' &&
    terminator === 'aws4_request' &&
    date.startsWith(day) &&
    Math.abs(now - timeOf(date)) <= WINDOW_MS &&
    names.includes('host')
  if (!good) return { error: 'SignatureDoesNotMatch' }
  const text = [algorithm, date, scope.slice(1).join('/'), sha256(canonical(request, names))].join(
    '\n',
  )
  const seal = [day, region, service, 'aws4_request', text].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${key.secretAccessKey}`,
  )
  return Buffer.from(seal).toString('hex') === fields.get('Signature')
    ? { accessKeyId, region }
    : { error: 'SignatureDoesNotMatch' }
}

function canonical({ method, path, headers, body }: WireRequest, names: readonly string[]): string {
  const [where, query] = split(path, '?')
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) =>
      split(pair, '=')
        .map((half) => encode(decodeURIComponent(half)))
        .join('='),
    )
  return [
    method,
    where,
    pairs.toSorted().join('&'),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
}

function split(text: string, sign: string): [string, string] {
  const at = text.indexOf(sign)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Milliseconds of `YYYYMMDDTHHMMSSZ`. */
function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  return Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
}
