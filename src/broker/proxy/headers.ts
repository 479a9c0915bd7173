import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { BrokerError } from '../errors.ts'

/** RFC 9110 section 7.6.1: of one connection only. */
const ofConnection = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** What does not go on. `host` is the upstream's, `expect` was answered here, and credentials are what this proxy adds. */
const staysHere: ReadonlySet<string> = new Set([
  ...ofConnection,
  'host',
  'expect',
  'authorization',
  'proxy-authorization',
  'dpop',
  // Of a connection that speaks HTTP/2 next.
  'http2-settings',
])

/** What does not come back. */
const staysThere: ReadonlySet<string> = new Set([
  ...ofConnection,
  'authorization',
  'proxy-authenticate',
])

/** The header fields of a request that go on, name and value in turn. */
export type HeaderList = string[]

/** What goes to the upstream, without a credential; without a length either where there is no body. */
export function headersToUpstream(request: IncomingMessage, hasBody: boolean): HeaderList {
  const { rawHeaders } = request
  const named = namedByConnection(request.headers.connection)
  const kept: HeaderList = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const lower = name.toLowerCase()
    if (staysHere.has(lower) || lower.startsWith('lumo-') || named?.has(lower) === true) continue
    if (lower === 'content-length' && !hasBody) continue
    kept.push(name, rawHeaders[at + 1] ?? '')
  }
  return kept
}

/** What goes to the caller. */
export function headersOfAnswer(headers: IncomingHttpHeaders): HeaderList {
  const named = namedByConnection(headers.connection)
  const kept: HeaderList = []
  for (const name in headers) {
    if (staysThere.has(name) || name.startsWith('lumo-') || named?.has(name) === true) continue
    const value = headers[name]
    if (typeof value === 'string') kept.push(name, value)
    else for (const one of value ?? []) kept.push(name, one)
  }
  return kept
}

function namedByConnection(
  value: string | readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined
  const text = typeof value === 'string' ? value : value.join(',')
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  // It says how the message ends, and it does not stop saying so.
  return new Set(names.filter((name) => name !== 'content-length'))
}

/** Whether an answer is framed in a way that does not go on. By its coding nobody would know what its bytes are. */
export function hasUnknownCoding(headers: NodeJS.Dict<string | string[]>): boolean {
  const coding = headers['transfer-encoding']
  if (coding === undefined) return false
  // Two of them are a list.
  return typeof coding !== 'string' || coding.toLowerCase() !== 'chunked'
}

/** Whether a request has a body; a refusal where it is framed in a way that does not go on. */
export function bodyOf({ headers }: IncomingMessage): boolean | BrokerError {
  const { 'transfer-encoding': coding, 'content-length': length } = headers
  if (coding === undefined) return length !== undefined && length !== '0'
  // Another coding would be passed on as if it were none: its name goes no further than this connection.
  return coding.toLowerCase() === 'chunked' ? true : new BrokerError('proxy_framing_refused')
}
