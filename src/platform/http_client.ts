import { request as plainRequest, Agent as PlainAgent } from 'node:http'
import { request as tlsRequest, Agent as TlsAgent } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { Clock } from './clock.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** PEM certificates that replace the system's trust for this request. */
  readonly ca?: string
  readonly connectTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxBytes: number
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

/** No usable answer came. The message is for the operator; it names the host and nothing of what was sent. */
export class HttpFailure extends Error {
  readonly code: HttpFailureCode
  constructor(code: HttpFailureCode, message: string) {
    super(message)
    this.code = code
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
 * fetch would cost a sidecar some 10 MB more, and takes neither a CA nor a connect time-out.
 */
export function nodeHttpClient(
  clock: Clock,
  proxyEnv: Readonly<Record<string, string>>,
): HttpClient {
  // What stays on this machine goes through no proxy, and plain HTTP never leaves it. Node itself makes no such exception.
  const plain = new PlainAgent({ keepAlive: true, maxSockets: 32 })
  const trusting = new Map<string, TlsAgent>()
  const tlsAgent = (ca: string | undefined, hostname: string): TlsAgent => {
    const stays = isLoopbackHost(hostname)
    const name = JSON.stringify([ca, stays])
    const known = trusting.get(name)
    if (known) return known
    // A CA that was replaced leaves its agent behind; the few that are kept cover a rotation.
    if (trusting.size >= 8) trusting.clear()
    const agent = new TlsAgent({
      keepAlive: true,
      maxSockets: 32,
      minVersion: 'TLSv1.2',
      ...(!stays && { proxyEnv }),
      ...(ca !== undefined && { ca }),
    })
    trusting.set(name, agent)
    return agent
  }
  return (request) =>
    new Promise((resolve, reject) => {
      const secure = request.url.protocol === 'https:'
      const outgoing = (secure ? tlsRequest : plainRequest)(request.url, {
        method: request.method,
        agent: secure ? tlsAgent(request.ca, request.url.hostname) : plain,
        headers: {
          accept: 'application/json',
          ...request.headers,
          ...(request.body !== undefined && {
            'content-length': String(Buffer.byteLength(request.body)),
          }),
        },
      })
      const fail = (code: HttpFailureCode, why: string): void => {
        stopClocks()
        reject(new HttpFailure(code, `${request.url.host}: ${why}`))
        outgoing.destroy()
      }
      let stopConnectClock = (): void => {}
      const stopTotalClock = clock.after(request.totalTimeoutMs, () => {
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
          fail('tls_wrong_name', 'its certificate is made for another name')
        } else if (isTrustFault(code))
          fail('tls_untrusted', `its certificate is not trusted (${code})`)
        else if (outgoing.reusedSocket || code === 'ECONNRESET') fail('broken_off', code)
        else fail('cannot_connect', code)
      })
      outgoing.on('response', (incoming) => {
        stopConnectClock()
        collect(incoming, request.maxBytes).then(
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

function collect(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBytes) {
        reject('answer_too_large' satisfies HttpFailureCode)
        incoming.destroy()
      } else chunks.push(chunk)
    })
    incoming.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'))
    })
    incoming.on('error', reject)
    incoming.on('aborted', () => {
      reject('broken_off' satisfies HttpFailureCode)
    })
  })
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
