import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { request as tlsRequest } from 'node:https'
import { join } from 'node:path'
import { startAuthority, type RunningAuthority } from '../../src/compose/authority.ts'
import type { AuthorityConfig } from '../../src/config/config.ts'
import { resolveConfig } from '../../src/config/load.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { testSurroundings } from '../fakes/surroundings.ts'
import { poll } from '../fakes/program.ts'
import type { Asked, Given } from './faulty_server.ts'

export const ORIGIN = 'https://auth.example'
export const TENANT = 'acme-corp'
export const ISSUER = `${ORIGIN}/t/${TENANT}/api/v1`
export const DOCS = 'https://docs.example.com'

/** So many that each caller can ask for a token that nobody has: one a set of them. */
export const scopes = Array.from({ length: 10 }, (_, index) => `read:${String(index)}`)

export interface AuthorityNeeds {
  readonly folder: string
  readonly ca: string
  readonly tls: { readonly certFile: string; readonly keyFile: string }
  readonly provider: object
  /** Of a token, in seconds. */
  readonly lifetime: number
  readonly clock: Clock
}

/** An authority as a process runs it, over TLS, which can be stopped and started again on its store. */
export class AuthorityAround {
  readonly #needs: AuthorityNeeds
  readonly #surroundings
  readonly #config: AuthorityConfig
  #running: RunningAuthority | undefined

  private constructor(needs: AuthorityNeeds, config: AuthorityConfig) {
    this.#needs = needs
    this.#config = config
    this.#surroundings = testSurroundings(needs.clock)
  }

  static async open(needs: AuthorityNeeds): Promise<AuthorityAround> {
    const { folder, tls, provider } = needs
    const keyEncryptionFile = join(folder, 'key-encryption')
    await writeFile(keyEncryptionFile, randomBytes(32).toString('base64'))
    await writeFile(join(folder, 'policy.yaml'), policyOf(needs.lifetime, true))
    const ample = { clientPerMinute: 1e6, workloadPerMinute: 1e6, failuresPerMinute: 1e6 }
    const document = {
      roles: ['authority'],
      authority: {
        listen: '127.0.0.1:0',
        origin: ORIGIN,
        tls,
        store: { file: join(folder, 'authority.sqlite') },
        keyEncryptionFile,
        limits: ample,
        tenants: [
          {
            slug: TENANT,
            // The cheapest to make and to sign with.
            algorithm: 'ES256',
            policy: join(folder, 'policy.yaml'),
            providers: [provider],
          },
        ],
      },
    }
    const { authority } = resolveConfig(document, {})
    if (!authority) throw new Error('the document has no authority')
    const around = new AuthorityAround(needs, authority)
    await around.start()
    return around
  }

  async start(): Promise<void> {
    this.#running ??= await startAuthority(this.#config, this.#surroundings)
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.stop(0)
  }

  /** Writes another trust policy, and waits until it counts where an authority runs. */
  async useAgent(isEnabled: boolean): Promise<void> {
    const { folder, lifetime } = this.#needs
    const taken = this.#taken()
    await writeFile(join(folder, 'policy.yaml'), policyOf(lifetime, isEnabled))
    if (!this.#running) return
    await poll(
      () => Promise.resolve(this.#taken()),
      (now) => now > taken,
    )
  }

  /** Everything that its operator can read. */
  async told(): Promise<string> {
    return this.#surroundings.log.text() + (await this.#surroundings.metrics.text())
  }

  /** Hands a request on to it over TLS. Rejects while it is not there. */
  readonly pass = ({ method, path, headers, body }: Asked): Promise<Given> =>
    new Promise((resolve, reject) => {
      const port = Number(this.#running?.addresses[0]?.split(':')[1] ?? 0)
      const outgoing = tlsRequest({
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...headers, connection: 'close' },
        agent: false,
        ca: this.#needs.ca,
      })
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const { 'retry-after': retryAfter, 'content-type': type = '' } = incoming.headers
          resolve({
            status: incoming.statusCode ?? 0,
            headers: {
              'content-type': type,
              ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
            },
            body: Buffer.concat(chunks).toString('utf8'),
          })
        })
      })
      outgoing.end(body)
    })

  #taken(): number {
    return this.#surroundings.log.lines.filter(
      ({ message, fields }) =>
        message === 'a changed file was taken up' && fields['what'] === 'policy',
    ).length
  }
}

/** An agent that is taken out of the policy is disabled. */
function policyOf(lifetime: number, isEnabled: boolean): string {
  const agent = {
    name: 'doc-analyst',
    proof: { provider: 'prod', namespace: 'research', serviceAccount: 'doc-analyst' },
    grants: [{ scopes: ['agent:self'] }, { target: DOCS, scopes }],
    lifetime,
  }
  return JSON.stringify({ agents: isEnabled ? [agent] : [] })
}
