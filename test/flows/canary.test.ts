import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApplication, type Application } from '../../src/compose/application.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { openLog } from '../../src/ops/log.ts'
import {
  Canaries,
  formsWithCanaries,
  headersWithCanaries,
  oddRequests,
} from '../fakes/canary_requests.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { requestText, sendRaw, type RawAnswer } from '../fakes/raw_http.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

const ORIGIN = 'http://127.0.0.1'
const TOKEN_PATH = '/t/acme-corp/api/v1/oauth/token'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

let folder: string
let cluster: FakeCluster
let application: Application
let metrics: ReturnType<typeof testSurroundings>['metrics']
let logged = ''

/** What must stand in no line, no metric and no error, with a word for each. */
const secrets = new Map<string, string>()
const canaries = new Canaries()
const secret = randomBytes(32).toString('base64url')
const answers: RawAnswer[] = []

const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-canary-'))
  const audience = `${ORIGIN}/t/acme-corp/api/v1`
  cluster = new FakeCluster(() => Math.floor(Date.now() / 1000), { audience })
  await writeFile(at('key'), randomBytes(32).toString('base64'))
  await writeFile(at('proof'), await cluster.token({ claims: { jti: 'of-the-broker' } }))
  await writeFile(at('policy.yaml'), policy)
  const surroundings = testSurroundings()
  metrics = surroundings.metrics
  const log = await openLog(
    { level: 'debug', format: 'json' },
    {
      isTTY: false,
      write: (text) => {
        logged += text
      },
    },
  )
  application = await startApplication(resolveConfig(await document(), {}), {
    ...surroundings,
    log,
  })
})

afterAll(async () => {
  await application.stop()
  await rm(folder, { recursive: true })
})

const policy = `agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    grants:
      - scopes: [agent:self]
      - { target: https://docs.example.com, scopes: [read:documents] }
`

async function document() {
  const secretHash = `sha256:${createHash('sha256').update(secret).digest('base64url')}`
  return {
    roles: ['authority', 'broker'],
    operations: { listen: '127.0.0.1:0' },
    authority: {
      listen: '127.0.0.1:0',
      origin: ORIGIN,
      store: { file: at('store.sqlite') },
      keyEncryptionFile: at('key'),
      // Each canary has to be looked at, so none may be turned away for coming after too many.
      limits: { failuresPerMinute: 1_000_000, clientPerMinute: 1_000_000 },
      tenants: [
        {
          slug: 'acme-corp',
          policy: at('policy.yaml'),
          providers: [
            {
              name: 'prod',
              kind: 'kubernetes',
              issuers: [cluster.issuer],
              keys: { inline: await cluster.jwks() },
            },
          ],
          clients: [{ id: 'reports', secretHashes: [secretHash], grants: [{ scopes: ['read'] }] }],
        },
      ],
    },
    broker: {
      shape: 'all-in-one',
      listen: ['127.0.0.1:0'],
      authority: { tenant: 'acme-corp' },
      proof: { file: at('proof') },
    },
  }
}

const hostOf = (role: keyof Application['addresses']) => application.addresses[role][0] ?? ''

async function send(role: keyof Application['addresses'], requests: readonly string[]) {
  for (const request of requests) {
    const answer = await sendRaw(Number(hostOf(role).split(':')[1]), request)
    answers.push(answer)
    if (answer.status !== 200 || !answer.body.includes('"access_token"')) continue
    const { access_token: token } = JSON.parse(answer.body) as { access_token: string }
    keepSecret(token, 'an issued token')
  }
}

function keepSecret(text: string, word: string): void {
  secrets.set(text, word)
  if (text.split('.').length === 3) {
    for (const part of text.split('.')) secrets.set(part, `a part of ${word}`)
  }
}

async function askTheAuthority(): Promise<void> {
  const headers = [`Host: ${hostOf('authority')}`]
  const proof = await cluster.token({ claims: { jti: 'shown-to-the-authority' } })
  keepSecret(proof, 'a proof')
  keepSecret(secret, 'the secret of a client')
  keepSecret(Buffer.from(`reports:${secret}`).toString('base64'), 'Basic credentials')
  const exchange = { grant_type: EXCHANGE, subject_token: proof, subject_token_type: JWT }
  const credentials = {
    grant_type: 'client_credentials',
    client_id: 'reports',
    client_secret: secret,
  }
  const names =
    'grant_type client_id client_secret scope audience resource subject_token subject_token_type subject_issuer requested_token_type actor_token actor_token_type assertion client_assertion client_assertion_type code code_verifier redirect_uri refresh_token jit_task_id authorization_details request request_uri colour'.split(
      ' ',
    )
  const target = TOKEN_PATH
  for (const form of [exchange, credentials]) {
    await send('authority', formsWithCanaries(canaries, { target, headers, form, names }))
    const line = `POST ${target} HTTP/1.1`
    const type = 'Content-Type: application/x-www-form-urlencoded'
    const request = (more: readonly string[]) =>
      requestText(line, [...headers, type, ...more], new URLSearchParams(form).toString())
    await send('authority', headersWithCanaries(canaries, request))
  }
  await send('authority', oddRequests(canaries, { target, headers, host: hostOf('authority') }))
  await askBesideTheTokenEndpoint(headers, credentials)
}

async function askBesideTheTokenEndpoint(
  headers: readonly string[],
  { client_id, client_secret }: Readonly<Record<'client_id' | 'client_secret', string>>,
): Promise<void> {
  const [token = ''] = [...secrets].find(([, word]) => word === 'an issued token') ?? []
  const names = ['token', 'token_type_hint', 'client_id', 'client_secret', 'client_assertion']
  const form = { token, client_id, client_secret }
  for (const path of ['introspect', 'revoke']) {
    const target = TOKEN_PATH.replace('/oauth/token', `/oauth/${path}`)
    await send('authority', formsWithCanaries(canaries, { target, headers, form, names }))
  }
  const target = TOKEN_PATH.replace('/oauth/token', '/oauth/userinfo')
  const request = (more: readonly string[]) =>
    requestText(`GET ${target} HTTP/1.1`, [...headers, ...more])
  await send('authority', headersWithCanaries(canaries, request))
}

/** Claims that no verifier has reason to believe, and those of a verified proof that name no workload. */
async function showOddProofs(): Promise<void> {
  const stranger = new FakeCluster(() => Math.floor(Date.now() / 1000)).privateKey
  const kid = (place: string) => ({ header: { kid: canaries.at(place) } })
  const claimed = (place: string, name: string): TokenChanges => ({
    claims: { [name]: canaries.at(`${place} ${name}`) },
  })
  const bound = (place: string, name: string, value: (text: string) => unknown): TokenChanges => ({
    bound: { [name]: value(canaries.at(`${place} kubernetes.io.${name}`)) },
  })
  const object = (name: string) => ({ name, uid: name })
  const variants = (place: string): readonly TokenChanges[] => [
    ...['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'act', 'colour'].map((name) =>
      claimed(place, name),
    ),
    { claims: { aud: [cluster.audience, canaries.at(`${place} second aud`)] } },
    bound(place, 'namespace', (text) => text.toUpperCase()),
    bound(place, 'serviceaccount', object),
    bound(place, 'pod', object),
    bound(place, 'node', object),
    bound(place, 'secret', object),
    bound(place, 'warnafter', (text) => text),
    bound(place, 'colour', (text) => text),
    kid(`${place} kid`),
    { header: { typ: canaries.at(`${place} typ`) } },
    { header: { jku: `https://${canaries.at(`${place} jku`)}.example` } },
  ]
  const tokens = [
    ...variants('verified').map((changes) => cluster.token(changes)),
    ...variants('unverified').map((changes) => cluster.token({ ...changes, key: stranger })),
  ]
  for (const token of tokens) {
    const proof = await token
    keepSecret(proof, 'an odd proof')
    const body = { grant_type: EXCHANGE, subject_token: proof, subject_token_type: JWT }
    const headers = [`Host: ${hostOf('authority')}`, 'Content-Type: application/json']
    await send('authority', [
      requestText(`POST ${TOKEN_PATH} HTTP/1.1`, headers, JSON.stringify(body)),
    ])
  }
}

async function askTheBroker(): Promise<void> {
  const host = hostOf('broker')
  const headers = [`Host: ${host}`, 'Lumo-Broker: true']
  const target = '/v1/token'
  const names = ['audience', 'resource', 'scope', 'min_ttl', 'agent', 'colour', 'subject_token']
  const queries = names.map((name) => {
    const canary = canaries.at(`query ${name}`)
    return `${target}?${name}=${name === 'resource' ? 'urn:' : ''}${canary}`
  })
  const get = (path: string) => requestText(`GET ${path} HTTP/1.1`, headers)
  await send('broker', [get(target), get(`${target}?audience=https://docs.example.com`)])
  await send('broker', queries.map(get))
  await send('broker', formsWithCanaries(canaries, { target, headers, form: {}, names }))
  for (const path of [target, '/v1/identity']) {
    const request = (more: readonly string[]) =>
      requestText(`GET ${path} HTTP/1.1`, [...headers, ...more])
    await send('broker', headersWithCanaries(canaries, request))
    await send('broker', oddRequests(canaries, { target: path, headers, host }))
  }
  const spoilt = `${canaries.at('own proof')}.${canaries.at('own proof')}.x`
  await writeFile(at('proof'), spoilt)
  await send('broker', [get(`${target}?audience=https://another.example.com`)])
}

async function askTheOperations(): Promise<void> {
  const host = hostOf('operations')
  const headers = [`Host: ${host}`]
  const request = (more: readonly string[]) =>
    requestText('GET /readyz HTTP/1.1', [...headers, ...more])
  await send('operations', headersWithCanaries(canaries, request))
  await send('operations', oddRequests(canaries, { target: '/metrics', headers, host }))
}

/** Words for those of the secrets that a text holds. */
function foundIn(text: string): readonly string[] {
  const all = [...secrets, ...canaries.planted]
  return all
    .filter(([hidden]) => text.toLowerCase().includes(hidden.toLowerCase()))
    .map(([, word]) => word)
}

/** What a proven caller asked for is what the audit trail is kept to tell. */
function isOnRecord(place: string): boolean {
  return [' scope', ' audience', ' resource'].some((name) => place.endsWith(name))
}

/** Every row, as the store has it. */
async function auditTrail(): Promise<string> {
  const store = sqliteStore(at('store.sqlite'))
  const rows = await store.auditTail(undefined, 100_000)
  await store.close()
  expect(rows.length).toBeGreaterThan(100)
  return rows.map(({ text }) => text).join('\n')
}

test('nothing that was sent or issued reaches the log, the metrics, the audit trail, or the body of an error', async () => {
  await askTheAuthority()
  await showOddProofs()
  await askTheBroker()
  await askTheOperations()
  const errors = answers.filter(({ status }) => status !== 200)
  const text = await metrics.text()
  const found = {
    errors: errors.flatMap(({ headers, body }) => foundIn(JSON.stringify(headers) + body)),
    log: foundIn(logged),
    metrics: foundIn(text),
    audit: foundIn(await auditTrail()).filter((place) => !isOnRecord(place)),
  }
  expect(found).toEqual({ errors: [], log: [], metrics: [], audit: [] })

  // There was something to find: much was planted, tokens came, and the log and the metrics tell of all kinds of outcome.
  expect(canaries.planted.size).toBeGreaterThan(250)
  expect([...secrets.values()]).toContain('an issued token')
  expect(errors.length).toBeGreaterThan(200)
  for (const message of [
    'token issued',
    'token request refused',
    'an exchange brought no token',
    "the pod's own proof is not usable",
  ]) {
    expect(logged).toContain(`"msg":"${message}"`)
  }
  expect(text).toContain('lumo_tokens_issued_total{tenant="acme-corp",grant="token_exchange"}')
  expect(text).toContain(
    'lumo_exchange_denied_total{tenant="acme-corp",reason="signature_invalid"}',
  )
})
