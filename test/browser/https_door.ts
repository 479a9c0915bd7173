import { connect, type AddressInfo, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { makeCa } from '../fakes/certificates.ts'
import type { FrontDoor } from '../fakes/front_door.ts'

/** What ends TLS before a server, as an ingress does. Its certificate is of nobody that a browser trusts. */
export async function httpsDoor(): Promise<FrontDoor> {
  let behind = 0
  const open = new Set<Socket>()
  const keep = <S extends Socket>(socket: S): S => {
    open.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
    return socket
  }
  const ca = await makeCa('browser tests')
  const server = createServer(await ca.issue(), (caller) => {
    const inner = keep(connect({ host: '127.0.0.1', port: behind }))
    keep(caller).pipe(inner).pipe(caller)
  })
  // A browser hangs up on the first certificate that it does not trust.
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `https://localhost:${String((server.address() as AddressInfo).port)}`,
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
