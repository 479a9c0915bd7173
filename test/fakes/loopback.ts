import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is answered at a path. */
export interface Page {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface LoopbackServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly host: string
  /** Every request that came. */
  readonly seen: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[]
  readonly close: () => Promise<void>
}

/** A web server on the loopback with these pages, read anew for each request. Other paths are 404. */
export async function serve(pages: Readonly<Record<string, Page>>): Promise<LoopbackServer> {
  const seen: LoopbackServer['seen'][number][] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    seen.push({ path, headers: request.headers })
    const { status = 200, headers = {}, body = '' } = pages[path] ?? { status: 404 }
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return {
    origin: `http://${host}`,
    host,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
