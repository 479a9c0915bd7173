import { lookup } from 'node:dns'
import { request as plainRequest, type Agent } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { literalOf } from './addresses.ts'
import type { Clock } from './clock.ts'
import { agents } from './http_agents.ts'
import { ADDRESS_REFUSED, guardedLookup, type Resolve } from './guarded_lookup.ts'
import { readBody } from './read_body.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** PEM certificates that replace the system's trust for this request. */
  readonly ca?: string
  readonly connectTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxBytes: number
  /**
   * Judges every IP address before it is connected to, whether it stands in the URL or is one that the host's name has;
   * none allowed is `address_refused`. Behind a proxy the name is resolved there, and only an address in the URL can be
   * judged here: what the proxy may reach is then the proxy's own rule.
   */
  readonly mayConnectTo?: (address: string) => boolean
  /** The Unix socket to connect to instead of the URL's address. No address is judged then, and no proxy is asked. */
  readonly socketPath?: string
  /** Breaks the request off: the failure is `broken_off`. */
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  header(name: string): string | undefined
  readonly body: string
}

export type HttpFailureCode =
  | 'cannot_connect'
  | 'connect_timeout'
  | 'timeout'
  | 'tls_untrusted'
  | 'tls_wrong_name'
  | 'answer_too_large'
  | 'broken_off'
  | 'address_refused'

/** No usable answer came. The message is for the operator; it names the host and nothing of what was sent. */
export class HttpFailure extends Error {
  readonly code: HttpFailureCode
  /** The system's own code; of a certificate for another name, the names that it has, as the peer wrote them. */
  readonly reason: string | undefined
  constructor(code: HttpFailureCode, message: string, reason?: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

/**
 * One bounded HTTP exchange: connect and total time-outs, a cap on the answer, and no redirect ever followed (a 3xx is
 * an answer like any other, and no caller of ours accepts one).
 * @throws HttpFailure
 */
export type HttpClient = (request: HttpRequest) => Promise<HttpAnswer>

/**
 * The client over `node:http` and `node:https`, with their own proxy support (`HTTPS_PROXY`, `NO_PROXY`). The built-in
 * fetch would cost a sidecar some 10 MB more, and takes neither a CA nor a connect time-out. `resolveName` serves
 * guarded requests only.
 */
export function nodeHttpClient(
  clock: Clock,
  proxyEnv: Readonly<Record<string, string>>,
  resolveName: Resolve = lookup,
): HttpClient {
  const agentFor = agents(proxyEnv)
  return (request) =>
    new Promise((resolve, reject) => {
      const secure = request.url.protocol === 'https:'
      const { mayConnectTo, socketPath, signal } = request
      const peer = socketPath ?? request.url.host
      const literal = literalOf(request.url.hostname)
      // A connection to an address in figures asks no `lookup`.
      if (literal !== undefined && mayConnectTo?.(literal) === false) {
        reject(new HttpFailure('address_refused', `${request.url.host}: ${REFUSED}`))
        return
      }
      const agent = agentFor({
        secure,
        stays: socketPath !== undefined || isLoopbackHost(request.url.hostname),
        ca: request.ca,
        guarded: mayConnectTo !== undefined,
      })
      const outgoing = (secure ? tlsRequest : plainRequest)(request.url, {
        method: request.method,
        agent,
        ...(mayConnectTo && { lookup: guardedLookup(resolveName, mayConnectTo) }),
        ...(socketPath !== undefined && { socketPath }),
        ...(signal && { signal }),
        headers: {
          accept: 'application/json',
          ...request.headers,
          ...(request.body !== undefined && {
            'content-length': String(Buffer.byteLength(request.body)),
          }),
        },
      })
      const fail = (code: HttpFailureCode, why: string, reason?: string): void => {
        stopClocks()
        reject(new HttpFailure(code, `${peer}: ${why}`, reason))
        outgoing.destroy()
      }
      let stopConnectClock = (): void => {}
      const stopTotalClock = clock.after(request.totalTimeoutMs, () => {
        // Where one kept connection gives no answer the others are dead, too, and each would cost as much to find out.
        dropIdle(agent)
        fail('timeout', 'no answer in time')
      })
      const stopClocks = (): void => {
        stopConnectClock()
        stopTotalClock()
      }
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) return
        // Counted from here: waiting for one of our own sockets says nothing about the other side.
        stopConnectClock = clock.after(request.connectTimeoutMs, () => {
          fail('connect_timeout', 'no connection in time')
        })
        socket.once(secure ? 'secureConnect' : 'connect', stopConnectClock)
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const code = error.code ?? 'unknown'
        if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
          const { cert } = error as { cert?: { subjectaltname?: string } }
          fail('tls_wrong_name', 'its certificate is made for another name', cert?.subjectaltname)
        } else if (isTrustFault(code))
          fail('tls_untrusted', `its certificate is not trusted (${code})`, code)
        else if (code === ADDRESS_REFUSED) fail('address_refused', REFUSED)
        else if (outgoing.reusedSocket || code === 'ECONNRESET' || code === 'ABORT_ERR') {
          fail('broken_off', code, code)
        } else fail('cannot_connect', code, code)
      })
      outgoing.on('response', (incoming) => {
        stopConnectClock()
        readBody(incoming, request.maxBytes).then(
          (body) => {
            stopClocks()
            resolve({
              status: incoming.statusCode ?? 0,
              header: (name) => {
                const value = incoming.headers[name]
                return Array.isArray(value) ? value.join(', ') : value
              },
              body,
            })
          },
          (code: unknown) => {
            fail(code === 'answer_too_large' ? code : 'broken_off', 'the answer could not be read')
          },
        )
      })
      outgoing.end(request.body)
    })
}

const REFUSED = 'no address of it may be connected to'

function dropIdle({ freeSockets }: Agent): void {
  for (const socket of Object.values(freeSockets).flat()) socket?.destroy()
}

function isTrustFault(code: string): boolean {
  return (
    code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' ||
    code.includes('CERT') ||
    code.includes('SELF_SIGNED') ||
    code.includes('ISSUER') ||
    code.startsWith('ERR_TLS_')
  )
}

/**
 * True where plain HTTP is allowed: addresses that cannot leave the machine. `localhost` is among them because resolvers
 * must keep it on the loopback (RFC 6761 section 6.3).
 */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname === '::1' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}

/** HTTPS, or HTTP that cannot leave the machine, without credentials: the only URLs that anything of ours goes to. */
export function isSafeUrl({ protocol, hostname, username, password, hash }: URL): boolean {
  if (username !== '' || password !== '' || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}
