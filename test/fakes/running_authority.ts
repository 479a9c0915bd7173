import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAuthority, type RunningAuthority } from '../../src/compose/authority.ts'
import type { AuthorityConfig } from '../../src/config/config.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { unixSeconds, type Clock } from '../../src/platform/clock.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { FakeClock } from './clock.ts'
import { FakeCluster } from './cluster.ts'
import type { FakeLog } from './log.ts'
import { testSurroundings } from './surroundings.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT = 'urn:ietf:params:oauth:token-type:jwt'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** The secret of every client here, but for those whose case is about secrets. */
export const secret = 'a-secret-that-only-tests-know'

export type Json = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, where it is a JSON object; empty otherwise. */
  readonly json: Json
}

export interface HttpWish {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

export interface AuthorityWish {
  /** Public origin; what the issuers are made of. */
  readonly origin?: string
  readonly clock?: Clock
  readonly folder?: string
  readonly policy?: string
  readonly limits?: Json
  /** Laid over the section of the authority. */
  readonly authority?: Json
  /** Makes the tenants of the configuration, which is given as an operator writes it. */
  readonly tenants?: (needs: TenantNeeds) => readonly Json[] | Promise<readonly Json[]>
}

export interface TenantNeeds {
  readonly cluster: FakeCluster
  readonly policyFile: string
}

export interface TestAuthority {
  readonly running: RunningAuthority
  readonly clock: Clock
  readonly cluster: FakeCluster
  readonly log: FakeLog
  readonly port: number
  /** Where its files are; its configuration is `lumo.json`. */
  readonly folder: string
  readonly send: (wish: HttpWish) => Promise<Answer>
  /** Posts a form to the token endpoint of acme-corp. */
  readonly post: (
    form: Readonly<Record<string, string>>,
    headers?: OutgoingHttpHeaders,
  ) => Promise<Answer>
  /** Opens the authority's store beside it, as a command does. */
  readonly withStore: <T>(use: (store: Store) => Promise<T>) => Promise<T>
  stop(): Promise<void>
}

/** The authority as it is composed for a process, on a free port of the loopback, with its files in a folder of its own. */
export async function runAuthority(wish: AuthorityWish = {}): Promise<TestAuthority> {
  const clock = wish.clock ?? new FakeClock()
  const origin = wish.origin ?? 'https://auth.example'
  const cluster = new FakeCluster(() => unixSeconds(clock), {
    audience: `${origin}/t/acme-corp/api/v1`,
  })
  const folder = wish.folder ?? (await newFolder())
  const config = await authorityConfig(folder, cluster, { ...wish, origin })
  const surroundings = testSurroundings(clock)
  const running = await startAuthority(config, surroundings)
  const port = Number(running.addresses[0]?.split(':')[1])
  const send = (http: HttpWish): Promise<Answer> => sendHttp(port, http)
  return {
    running,
    clock,
    cluster,
    log: surroundings.log,
    port,
    folder,
    send,
    post: (form, headers = {}) => send({ ...formBody(form), headers: { ...FORM, ...headers } }),
    withStore: async (use) => {
      const store = sqliteStore(join(folder, 'authority.sqlite'))
      try {
        return await use(store)
      } finally {
        await store.close()
      }
    },
    stop: async () => {
      await running.stop(0)
      if (wish.folder === undefined) await rm(folder, { recursive: true })
    },
  }
}

export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'authority-'))
}

/** Writes the files that the authority reads into a folder, and resolves the configuration that names them. */
export async function authorityConfig(
  folder: string,
  cluster: FakeCluster,
  {
    origin = 'https://auth.example',
    policy = standardPolicy,
    tenants,
    limits,
    authority: section,
  }: AuthorityWish,
): Promise<AuthorityConfig> {
  const policyFile = join(folder, 'policy.yaml')
  const keyEncryptionFile = join(folder, 'key-encryption')
  await writeFile(policyFile, policy)
  await writeFile(keyEncryptionFile, randomBytes(32).toString('base64'), { flag: 'wx' }).catch(
    keepExisting,
  )
  const document = {
    roles: ['authority'],
    authority: {
      listen: '127.0.0.1:0',
      origin,
      store: { file: join(folder, 'authority.sqlite') },
      keyEncryptionFile,
      // Tests about limits set their own; no other should meet them, on a clock that stands.
      limits: {
        clientPerMinute: 1e6,
        introspectionsPerMinute: 1e6,
        workloadPerMinute: 1e6,
        failuresPerMinute: 1e6,
        ...limits,
      },
      tenants: await (tenants ?? standardTenants)({ cluster, policyFile }),
      ...section,
    },
  }
  // As an operator has it, for commands that are run beside it.
  await writeFile(join(folder, 'lumo.json'), JSON.stringify(document))
  const { authority } = resolveConfig(document, {})
  if (!authority) throw new Error('the document has no authority')
  return authority
}

function keepExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

export function secretHash(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`
}

export function client(id: string, more: Json = {}): Json {
  return { id, secretHashes: [secretHash(secret)], ...more }
}

export const docs = 'https://docs.example.com'
export const files = 'https://files.example.com'

export const reporterGrants = [
  { scopes: ['read:reports', 'write:data'] },
  { target: docs, scopes: ['read:documents', 'write:documents'] },
  { target: files, scopes: ['list:files', 'read:documents'] },
  { target: 'mcp-server', scopes: [] },
]

/** Two tenants that share nothing: acme-corp, with clients and a cluster, and globex. */
export async function standardTenants({
  cluster,
  policyFile,
}: TenantNeeds): Promise<readonly Json[]> {
  const keys = { inline: await cluster.jwks() }
  return [
    {
      slug: 'acme-corp',
      policy: policyFile,
      providers: [
        { name: 'prod', kind: 'kubernetes', issuers: [cluster.issuer], keys },
        { name: 'staging', kind: 'kubernetes', issuers: ['https://staging.example'], keys },
      ],
      clients: [
        client('reporter', { grants: reporterGrants, maxTargets: 3 }),
        client('basic-only', { methods: ['client_secret_basic'] }),
        client('post-only', { methods: ['client_secret_post'] }),
        client('exchanger', { grantTypes: ['token_exchange'] }),
      ],
    },
    { slug: 'globex', algorithm: 'ES256', clients: [client('globex-reporter')] },
  ]
}

export const standardPolicy = `
agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    grants:
      - scopes: [agent:self]
      - { target: ${docs}, scopes: [read:documents, write:documents] }
      - { target: ${files}, scopes: [read:documents, list:files] }
    maxTargets: 2
    lifetime: 1800
  - name: first-of-two
    proof: { provider: prod, namespace: research, serviceAccount: shared }
  - name: second-of-two
    proof: { provider: prod, namespace: research, serviceAccount: shared }
`

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
export const JSON_BODY = { 'content-type': 'application/json' }
export const TOKEN_PATH = '/t/acme-corp/api/v1/oauth/token'

export function formBody(form: Readonly<Record<string, string>>): HttpWish {
  return { method: 'POST', path: TOKEN_PATH, body: new URLSearchParams(form).toString() }
}

/** The form of a token exchange for a proof. */
export function exchangeOf(proof: string, more: Readonly<Record<string, string>> = {}) {
  return { grant_type: TOKEN_EXCHANGE, subject_token: proof, subject_token_type: JWT, ...more }
}

/** The form of client_credentials by the client `reporter`. */
export function credentials(more: Readonly<Record<string, string>> = {}) {
  return {
    grant_type: 'client_credentials',
    client_id: 'reporter',
    client_secret: secret,
    ...more,
  }
}

export function basic(id: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` }
}

/** Sends one request over a connection of its own; the path goes out as it is. */
export function sendHttp(
  port: number,
  { method = 'GET', path = TOKEN_PATH, headers = {}, body }: HttpWish,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const { statusCode = 0, headers: received } = incoming
        resolve({ status: statusCode, headers: received, text, json: objectOf(text) })
      })
    })
    outgoing.end(body)
  })
}

function objectOf(text: string): Json {
  return text.startsWith('{') ? (JSON.parse(text) as Json) : {}
}
