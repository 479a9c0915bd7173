import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { makeCa } from '../fakes/certificates.ts'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that keeps what it was sent, and answers with a text of its own. */
export interface RecordingServer {
  readonly port: number
  readonly seen: Seen[]
  close(): Promise<void>
}

export interface Api extends RecordingServer {
  /** The certificates by which it is known as `docs.example.com`. */
  readonly ca: string
}

export const API_TEXT = 'what the API answers'
export const APP_TEXT = 'what the application answers'

/** The API that requests go out to, over TLS. */
export async function startApi(): Promise<Api> {
  const ca = await makeCa('api')
  const pair = await ca.issue(['docs.example.com'])
  return { ...(await record(createTlsServer(pair), API_TEXT)), ca: ca.pem }
}

/** The application of the pod that requests come in to. */
export function startApp(): Promise<RecordingServer> {
  return record(createServer(), APP_TEXT)
}

async function record(
  server: ReturnType<typeof createServer | typeof createTlsServer>,
  text: string,
): Promise<RecordingServer> {
  const seen: Seen[] = []
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(200, { 'content-type': 'text/plain' }).end(text)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
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
