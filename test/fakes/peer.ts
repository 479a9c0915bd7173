import { createServer, type RequestListener } from 'node:http'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { onTestFinished } from 'vitest'

/** Listens on the loopback until the test ends. Gives `127.0.0.1:PORT`. */
export async function open(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        for (const socket of sockets) socket.destroy()
      }),
  )
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

/** A peer that speaks HTTP. */
export function answering(listener: RequestListener): Promise<string> {
  return open(createServer(listener))
}

/** A peer that does with a connection whatever it likes. */
export function speaking(handle: (socket: Socket) => void): Promise<string> {
  return open(
    createTcpServer((socket) => {
      handle(socket.on('error', () => {}))
    }),
  )
}
