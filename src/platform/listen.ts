import { chmod } from 'node:fs/promises'
import { createServer as createPlainServer } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from './clock.ts'
import type { Duplex } from 'node:stream'
import { OperatorFault } from './operator_fault.ts'
import { HeldSockets } from './held_sockets.ts'
import { boundPipelining, readInSlices } from './pipelined.ts'
import { clearSocketPath } from './socket_path.ts'

/** Where to listen. */
export type ListenAddress = TcpAddress | SocketAddress

/** IPv6 without brackets. */
export interface TcpAddress {
  readonly host: string
  readonly port: number
  /** Left out where the machine has no such address: a node without IPv6 has no `::1`. */
  readonly optional?: boolean
}

/** A Unix socket. Whoever has the volume that it lies in mounted may connect: the mount is the guard. */
export interface SocketAddress {
  readonly socket: string
}

export interface TlsPair {
  readonly cert: string
  readonly key: string
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Takes over a connection whose request asks for another protocol. `head`: what came behind the request already. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

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
  /** Only programs of the same pod can connect: what the parser is given at once is then not bounded, for that costs a tenth
   * of all answers. Absent: anybody may. */
  readonly ownPodOnly?: boolean
  /** Bodies may take as long as they like: the handler bounds them itself. */
  readonly longRequests?: boolean
  /** For programs of the same pod only: what slices a peer's bytes knows no other protocol. Absent: no upgrade is seen. */
  readonly upgrade?: UpgradeHandler
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair
  /**
   * Connections that one network address may hold, so that none takes them all; and where many together hold all that there
   * are, a new one takes the place of the one of least use of whoever holds most. Absent: as many as there are, and then
   * no more.
   */
  readonly maxPerAddress?: number
  /** Connections in all. */
  readonly maxConnections?: number
}

export interface Listening {
  /** `host:port` of each, with the port that was given where 0 was asked for; of a socket `unix:` and its path. */
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

/**
 * Listens on every address, or on none.
 * @throws ListenFault
 */
export async function listen(options: ListenOptions, clock: Clock): Promise<Listening> {
  const servers: OpenServer[] = []
  try {
    for (const address of options.addresses) {
      const server = await ('socket' in address
        ? listenOnSocket(address, options)
        : listenOn(address, options))
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
  readonly sockets: HeldSockets
}

function serverFor(options: ListenOptions): OpenServer {
  const { tls, handler: unbounded, ownPodOnly = false, upgrade } = options
  const sockets = new HeldSockets(options)
  const handler = sockets.watching(boundPipelining(unbounded))
  const times = options.longRequests === true ? { ...patience, requestTimeout: 0 } : patience
  const server = tls
    ? createTlsServer({ ...times, ...tlsPatience, ...tls }, handler)
    : createPlainServer(times, handler)
  if (upgrade && ownPodOnly) server.on('upgrade', upgrade)
  // The size of headers is bounded. Their number must not be: Node 24 drops what is beyond it unseen, and proxies append.
  server.maxHeadersCount = 0
  if (!ownPodOnly) server.on(tls ? 'secureConnection' : 'connection', readInSlices)
  server.on('connection', (socket: Socket) => {
    sockets.take(socket)
  })
  server.on('secureConnection', (socket: Socket) => {
    sockets.secure(socket)
  })
  return { server, sockets }
}

function listenOn(address: TcpAddress, options: ListenOptions): Promise<OpenServer | undefined> {
  const { server, sockets } = serverFor(options)
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

/** Everybody who can reach the path: which containers can is decided by what mounts the folder. */
const SOCKET_MODE = 0o666

async function listenOnSocket(
  { socket: path }: SocketAddress,
  options: ListenOptions,
): Promise<OpenServer> {
  const { role } = options
  const obstacle = await clearSocketPath(path)
  if (obstacle !== undefined) throw new ListenFault(`the ${role} cannot listen on ${obstacle}`)
  const open = serverFor(options)
  await new Promise<void>((resolve, reject) => {
    open.server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown'
      reject(
        new ListenFault(`the ${role} cannot listen on ${path} (${code}): is its folder there?`),
      )
    })
    open.server.listen({ path }, resolve)
  })
  await chmod(path, SOCKET_MODE)
  return open
}

function sentenceOf(code: string, { host, port }: TcpAddress, role: string): string {
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
  const bound = server.address() as AddressInfo | string
  if (typeof bound === 'string') return `unix:${bound}`
  const { address, port } = bound
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
      else sockets.destroy()
      cancel = clock.after(LOOK_EVERY_MS, look)
    }
    server.close(() => {
      cancel()
      resolve()
    })
    look()
  })
}
