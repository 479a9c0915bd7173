import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The `state` with which the application sends a person on to its other origin, as many do once they have the code. */
export const ONWARD = 'onward'

/** The application that a person comes from and goes back to. */
export interface ClientApp {
  readonly origin: string
  /** Its redirect URI. */
  readonly callback: string
  /** A page of its own with this in its body. */
  show(html: string): string
  close(): Promise<void>
}

/** Serves the application on the loopback. Each of its pages says in its title that it is the application's. */
export async function openClientApp(): Promise<ClientApp> {
  const shown: string[] = []
  const server = createServer(({ url = '' }, response) => {
    if (url.startsWith('/callback') && url.includes(`state=${ONWARD}`)) {
      response.writeHead(303, { location: `http://localhost:${portOf(server)}/home` }).end()
      return
    }
    const body = /^\/shown\/(\d+)$/.exec(url)?.[1]
    const html = body === undefined ? '<p>Back at the application.</p>' : shown[Number(body)]
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      `<!doctype html><html lang="en"><title>The application</title>${html ?? ''}</html>`,
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${portOf(server)}`
  return {
    origin,
    callback: `${origin}/callback`,
    show: (html) => `${origin}/shown/${String(shown.push(html) - 1)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

const portOf = (server: Server): string => String((server.address() as AddressInfo).port)
