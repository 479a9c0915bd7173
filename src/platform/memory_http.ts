import { createServer, request as httpRequest } from 'node:http'
import { duplexPair } from 'node:stream'
import type { RequestHandler } from './listen.ts'
import { readBody } from './read_body.ts'

export interface MemoryRequest {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

export interface MemoryAnswer {
  readonly status: number
  /** By its name in lower case. */
  header(name: string): string | undefined
  readonly body: string
}

/** Asks a handler of this process. Rejects when no answer comes, or one of more than `maxBytes`. */
export type MemoryHttp = (request: MemoryRequest, maxBytes: number) => Promise<MemoryAnswer>

/**
 * A handler without a socket: HTTP over a pair of streams in memory, which nobody else can reach. What it is handed is what
 * Node's own server makes of a request, so that nothing can differ from what comes over the network; its network address is
 * none.
 */
export function memoryHttp(handler: RequestHandler): MemoryHttp {
  // Never listens: a connection is handed to it.
  const server = createServer({ keepAliveTimeout: 1 }, handler)
  return ({ method, path, headers, body }, maxBytes) =>
    new Promise((resolve, reject) => {
      const [near, far] = duplexPair()
      server.emit('connection', far)
      const outgoing = httpRequest({
        method,
        path,
        headers: {
          host: 'localhost',
          connection: 'close',
          ...headers,
          ...(body && { 'content-length': String(body.length) }),
        },
        createConnection: () => near,
      })
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        readBody(incoming, maxBytes).then((text) => {
          resolve({
            status: incoming.statusCode ?? 0,
            header: (name) => {
              const value = incoming.headers[name]
              return Array.isArray(value) ? value.join(', ') : value
            },
            body: text,
          })
        }, reject)
      })
      outgoing.end(body)
    })
}
