import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What stands before a server and has its public name: bytes in, the same bytes out. */
export interface FrontDoor {
  /** `http://127.0.0.1:PORT`, known before what lies behind is there. */
  readonly origin: string
  leadTo(port: number): void
  close(): Promise<void>
}

export async function frontDoor(): Promise<FrontDoor> {
  let behind = 0
  const open = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    open.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
  }
  const server = createServer((caller) => {
    const inner = keep(connect({ host: '127.0.0.1', port: behind }))
    keep(caller).pipe(inner).pipe(caller)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    leadTo: (port) => {
      behind = port
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        for (const socket of open) socket.destroy()
      }),
  }
}
