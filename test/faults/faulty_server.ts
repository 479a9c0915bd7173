import { createServer as createWeb, type Server as Web } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { TlsPair } from '../../src/platform/listen.ts'
import { freePorts } from '../fakes/ports.ts'
import { answerBadly, type AnswerFault } from './bad_answers.ts'

/**
 * What is wrong with a server as its clients see it. `refused`: nobody listens. `silent`: connections are accepted and
 * nothing ever comes. The rest gives an answer, of a kind.
 */
export type Fault = 'none' | 'refused' | 'silent' | AnswerFault

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Given {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the server says while nothing is wrong with it. */
export type Behind = (asked: Asked) => Promise<Given>

/**
 * A TLS server on the loopback that passes requests on to what is behind it, until it is told to fail. Its port is kept
 * while nobody listens there: it lies below those that the system gives away.
 */
export class FaultyServer {
  readonly port: number
  readonly #behind: Behind
  readonly #web: Web
  readonly #front: Server
  readonly #sockets = new Set<Socket>()
  #fault: Fault = 'none'

  private constructor(port: number, pair: TlsPair, behind: Behind) {
    this.port = port
    this.#behind = behind
    this.#web = createWeb({ ...pair }, (request, response) => {
      void this.#answer(request, response)
    })
    this.#front = createServer((socket) => {
      this.#keep(socket)
      if (this.#fault !== 'silent') this.#web.emit('connection', socket)
    })
  }

  static async start(pair: TlsPair, behind: Behind): Promise<FaultyServer> {
    const server = new FaultyServer(await freePorts([0]), pair, behind)
    await server.#listen()
    return server
  }

  /** From now on. What was asked before and is not yet answered meets the new state too. */
  async use(fault: Fault): Promise<void> {
    this.#fault = fault
    if (fault === 'refused') await this.#stopListening()
    else if (!this.#front.listening) await this.#listen()
  }

  /** Shows another certificate, as a server that was started again. */
  useCertificate(pair: TlsPair): void {
    this.#web.setSecureContext({ ...pair })
    this.#dropAll()
  }

  async close(): Promise<void> {
    await this.#stopListening()
  }

  async #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#front.once('error', reject)
    this.#front.listen(this.port, '127.0.0.1', () => {
      this.#front.off('error', reject)
      resolve()
    })
    await promise
  }

  async #stopListening(): Promise<void> {
    if (!this.#front.listening) return
    const closed = new Promise<void>((resolve) => {
      this.#front.close(() => {
        resolve()
      })
    })
    this.#dropAll()
    await closed
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** The TCP connection under the TLS one: only there a reset can be sent. */
  #cut(remotePort: number | undefined): void {
    for (const socket of this.#sockets) {
      if (socket.remotePort === remotePort) socket.resetAndDestroy()
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy())
    const fault = this.#fault
    if (fault === 'silent' || fault === 'refused') return
    const asked = await read(request).catch(() => undefined)
    if (!asked) return
    if (fault !== 'none' && fault.kind !== 'slow') {
      answerBadly(fault, response, () => {
        this.#cut(request.socket.remotePort)
      })
      return
    }
    if (fault !== 'none' && !(await stillThereAfter(fault.ms, response))) return
    try {
      const { status, headers, body } = await this.#behind(asked)
      response.writeHead(status, headers).end(body)
    } catch {
      // What is behind has gone, and took its connections along.
      request.socket.destroy()
    }
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url: path = '', headers } = request
  return { method, path, headers, body: Buffer.concat(chunks) }
}

/** False when whoever asked has hung up meanwhile. */
function stillThereAfter(ms: number, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(true)
    }, ms)
    response.on('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}
