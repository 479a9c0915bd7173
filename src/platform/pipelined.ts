import type { Socket } from 'node:net'
import type { RequestHandler } from './listen.ts'

/** Requests of one connection that wait for the answer before theirs. Clients that pipeline at all send a handful. */
const MAX_PIPELINED = 8

/**
 * A handler that ends a connection with more than eight requests waiting. To Node they are objects of some 5 KB each, kept
 * until the answers before them are written.
 */
export function boundPipelining(handler: RequestHandler): RequestHandler {
  const waiting = new WeakMap<Socket, number>()
  return (request, response) => {
    const { socket } = request
    // Ended while what was read from it is still being parsed.
    if (socket.destroyed) return
    // The response has no socket until those before it are written.
    if (response.socket === null) {
      const before = waiting.get(socket) ?? 0
      if (before >= MAX_PIPELINED) {
        socket.destroy()
        return
      }
      waiting.set(socket, before + 1)
      response.once('close', () => {
        waiting.set(socket, (waiting.get(socket) ?? 1) - 1)
      })
    }
    handler(request, response)
  }
}

const SLICE_BYTES = 2_048

/**
 * Hands the HTTP parser of a server's new connection 2 KiB at a time. Node reads 64 KiB and makes objects of every request
 * in them, 2 400 of the shortest, before anything can end the connection: a few dozen connections took all memory.
 */
export function readInSlices(socket: Socket): void {
  const parsers = socket.listeners('data') as ((chunk: Buffer) => void)[]
  for (const parse of parsers) {
    socket.removeListener('data', parse)
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !socket.destroyed; at += SLICE_BYTES) {
        parse.call(socket, chunk.subarray(at, at + SLICE_BYTES))
      }
    })
  }
}
