import { createServer as createPlainServer } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from './clock.ts'
import { OperatorFault } from './operator_fault.ts'

/** Where to listen. IPv6 without brackets. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** Left out where the machine has no such address: a node without IPv6 has no `::1`. */
  readonly optional?: boolean
}

export interface TlsPair {
  readonly cert: string
  readonly key: string
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** The handler of a Fastify instance that is ready. */
export function handlerOf(app: { routing: RequestHandler }): RequestHandler {
  return (request, response) => {
    app.routing(request, response)
  }
}

export interface ListenOptions {
  /** What listens, for the sentence when it cannot: `broker`, `authority`. */
  readonly role: string
  readonly handler: RequestHandler
  readonly addresses: readonly ListenAddress[]
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair
}

export interface Listening {
  /** `host:port` of each, with the port that was given where 0 was asked for. */
  readonly addresses: readonly string[]
  /** New connections are shown this pair from now on. */
  useTls(pair: TlsPair): void
  /** Stops accepting, lets what runs finish for `graceMs`, then closes. */
  close(graceMs: number): Promise<void>
}

/** The address cannot be listened on. The message is one sentence for the operator. */
export class ListenFault extends OperatorFault {}

/**
 * How long a caller may take. They bound what a slow or half-open peer holds: headers, the whole request, an idle
 * connection.
 */
const patience: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
}

/** The clocks above start with the handshake's end. */
const tlsPatience = { handshakeTimeout: 5_000, minVersion: 'TLSv1.2' } as const

/** A peer may hold a body's worth of memory with each. */
const MAX_CONNECTIONS = 1_000

/**
 * Listens on every address, or on none.
 * @throws ListenFault
 */
export async function listen(options: ListenOptions, clock: Clock): Promise<Listening> {
  const servers: OpenServer[] = []
  try {
    for (const address of options.addresses) {
      const server = await listenOn(address, options)
      if (server) servers.push(server)
    }
  } catch (error) {
    for (const { server } of servers) server.close()
    throw error
  }
  return {
    addresses: servers.map(({ server }) => addressOf(server)),
    useTls: (pair) => {
      for (const { server } of servers) {
        if ('setSecureContext' in server) {
          ;(server as { setSecureContext(pair: TlsPair): void }).setSecureContext(pair)
        }
      }
    },
    close: async (graceMs) => {
      await Promise.all(servers.map((server) => closeGently(server, graceMs, clock)))
    },
  }
}

/** With its sockets, for a server does not know those that have not finished their TLS handshake. */
interface OpenServer {
  readonly server: Server
  readonly sockets: ReadonlySet<Socket>
}

function listenOn(address: ListenAddress, options: ListenOptions): Promise<OpenServer | undefined> {
  const server = options.tls
    ? createTlsServer({ ...patience, ...tlsPatience, ...options.tls }, options.handler)
    : createPlainServer(patience, options.handler)
  server.maxConnections = MAX_CONNECTIONS
  // The size of headers is bounded. Their number must not be: Node 24 drops what is beyond it unseen, and proxies append.
  server.maxHeadersCount = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown'
      const absent = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
      if (absent && address.optional === true) resolve(undefined)
      // A machine without IPv6 has no wildcard for both families; the one for IPv4 is then all there is.
      else if (absent && address.host === '::') {
        listenOn({ ...address, host: '0.0.0.0' }, options).then(resolve, reject)
      } else reject(new ListenFault(sentenceOf(code, address, options.role)))
    })
    server.listen({ host: address.host, port: address.port }, () => {
      resolve({ server, sockets })
    })
  })
}

function sentenceOf(code: string, { host, port }: ListenAddress, role: string): string {
  const where = `${showHost(host)}:${String(port)}`
  switch (code) {
    case 'EADDRINUSE':
      return `the ${role} cannot listen on ${where}: another program already does; end it, or choose another port`
    case 'EACCES':
      return `the ${role} may not listen on ${where}: a port below 1024 needs a privilege`
    case 'EADDRNOTAVAIL':
      return `the ${role} cannot listen on ${where}: this machine has no such address`
    default:
      return `the ${role} cannot listen on ${where} (${code})`
  }
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return `${showHost(address)}:${String(port)}`
}

function showHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const LOOK_EVERY_MS = 50

function closeGently(
  { server, sockets }: OpenServer,
  graceMs: number,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const giveUpAt = clock.monotonic() + graceMs
    let cancel = (): void => {}
    // A connection that was busy when the server closed turns idle later, and its client would keep it.
    const look = (): void => {
      if (clock.monotonic() < giveUpAt) server.closeIdleConnections()
      else for (const socket of sockets) socket.destroy()
      cancel = clock.after(LOOK_EVERY_MS, look)
    }
    server.close(() => {
      cancel()
      resolve()
    })
    look()
  })
}
