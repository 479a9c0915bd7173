import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { failure, success, type StsAnswer } from './sts/answers.ts'
import type { StsCredentials } from './sts.ts'

const NOT_FOUND: StsAnswer = { status: 404, headers: {}, body: '' }
const SESSION = 'imds-session'
const ROLE_PATH = '/latest/meta-data/iam/security-credentials/'

/**
 * Where a workload on AWS gets its credentials, all on one address of the loopback: instance metadata (IMDSv2 only), the
 * container endpoint of ECS and EKS Pod Identity, and AssumeRoleWithWebIdentity for IRSA.
 */
export class AwsMetadata {
  /** What the container endpoint and AssumeRoleWithWebIdentity take for a proof. */
  readonly token: string
  readonly #credentials: StsCredentials
  readonly #server: Server

  constructor(token: string, credentials: StsCredentials) {
    this.token = token
    this.#credentials = credentials
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        const { method = '', url = '', headers: given } = request
        const { status, headers, body: text } = this.#answer(`${method} ${url}`, given, body)
        response.writeHead(status, headers).end(text)
      })
    })
  }

  get origin(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return this
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
      this.#server.closeAllConnections()
    })
  }

  #answer(
    what: string,
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
    body: string,
  ): StsAnswer {
    if (what === 'PUT /latest/api/token') return text(SESSION)
    if (what.startsWith(`GET ${ROLE_PATH}`)) {
      if (headers['x-aws-ec2-metadata-token'] !== SESSION) return { ...NOT_FOUND, status: 401 }
      return what === `GET ${ROLE_PATH}` ? text('the-role') : this.#asJson()
    }
    if (what === 'GET /v1/credentials') {
      return headers['authorization'] === this.token
        ? this.#asJson()
        : { ...NOT_FOUND, status: 401 }
    }
    return what === 'POST /' ? this.#assumeRole(new URLSearchParams(body)) : NOT_FOUND
  }

  #assumeRole(parameters: URLSearchParams): StsAnswer {
    const good =
      parameters.get('Action') === 'AssumeRoleWithWebIdentity' &&
      parameters.get('WebIdentityToken') === this.token
    if (!good) return failure(403, 'AccessDenied', 'see the code', undefined)
    const { accessKeyId, secretAccessKey, sessionToken = '' } = this.#credentials
    const { status, headers, body } = success(
      'AssumeRoleWithWebIdentity',
      { Credentials: '' },
      undefined,
    )
    const inner = Object.entries({
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: inAnHour(),
    }).map(([name, value]) => `<${name}>${value}</${name}>`)
    return {
      status,
      headers,
      body: body.replace('<Credentials>', `<Credentials>${inner.join('')}`),
    }
  }

  #asJson(): StsAnswer {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credentials
    return text(
      JSON.stringify({
        Code: 'Success',
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: inAnHour(),
      }),
    )
  }
}

/** By the clock of this machine, for it is the SDK's. */
function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString()
}

function text(body: string): StsAnswer {
  return { status: 200, headers: {}, body }
}
