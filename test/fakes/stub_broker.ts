import { createServer, type IncomingHttpHeaders } from 'node:http'
import { rm } from 'node:fs/promises'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface StubAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface StubRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface StubBroker {
  /** `127.0.0.1:PORT`, or the path of the socket. */
  readonly where: string
  readonly seen: readonly StubRequest[]
  readonly close: () => Promise<void>
}

export const stubToken = 'token-of-the-stub'

export const stubAnswer: StubAnswer = {
  status: 200,
  body: { access_token: stubToken, token_type: 'Bearer', expires_in: 60, scope: 'agent:self' },
}

/** What listens as a broker does and answers what it is told to, for what the real one does not do on demand. */
export async function stubBroker({
  answer = () => stubAnswer,
  tls,
  listenOn = { port: 0 },
}: {
  readonly answer?: (request: StubRequest) => StubAnswer | Promise<StubAnswer>
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly listenOn?: { readonly port: number } | { readonly path: string }
} = {}): Promise<StubBroker> {
  const seen: StubRequest[] = []
  const server = tls ? createTlsServer(tls) : createServer()
  server.on('request', (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
      seen.push(request)
      void (async () => {
        const { status, headers: more = {}, body } = await answer(request)
        outgoing.writeHead(status, { 'content-type': 'application/json', ...more })
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
      })()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen('path' in listenOn ? listenOn : { ...listenOn, host: '127.0.0.1' }, resolve)
  })
  return {
    where:
      'path' in listenOn
        ? listenOn.path
        : `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      })
      if ('path' in listenOn) await rm(listenOn.path, { force: true })
    },
  }
}
