import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'

/** An API that takes access tokens, as applications call it: `GET /documents`, for whoever shows one. */
export interface DocumentsApi {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  close(): Promise<void>
}

export interface TrustedIssuer {
  readonly issuer: string
  /** What tokens for this API are made for. */
  readonly audience: string
}

/** Verifies each token against the keys that its issuer publishes (RFC 9068 section 4), and says whose it is. */
export async function documentsApi(trusted: TrustedIssuer): Promise<DocumentsApi> {
  const keys = createRemoteJWKSet(new URL(`${trusted.issuer}/.well-known/jwks.json`))
  const answerTo = async (authorization = ''): Promise<readonly [number, string]> => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(authorization) ?? []
    const rules = { ...trusted, typ: 'at+jwt' }
    const verified = await jwtVerify(token, keys, rules).catch(() => undefined)
    return verified
      ? [200, `2 documents for ${String(verified.payload.sub)}\n`]
      : [401, 'This token is not for this API.\n']
  }
  const server = createServer((request, response) => {
    void answerTo(request.headers.authorization).then(([status, text]) =>
      response.writeHead(request.url === '/documents' ? status : 404).end(text),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
