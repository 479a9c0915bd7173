import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startApplication, type Application } from '../../src/compose/application.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeSts, type RoleCredentials } from '../fakes/sts.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

const ISSUER = 'https://auth.example/t/acme-corp/api/v1'
const REGION = 'eu-central-1'

let folder: string
let sts: FakeSts
let authority: Application
const running: Application[] = []

const policy = `agents:
  - name: reporter
    proof: { provider: tokens, arn: 'arn:aws:iam::111122223333:role/team/reporter' }
  - name: signing-reporter
    proof: { provider: requests, arn: 'arn:aws:iam::111122223333:role/reporter' }
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-aws-'))
  sts = await new FakeSts().start()
  await writeFile(join(folder, 'key'), randomBytes(32).toString('base64'))
  await writeFile(join(folder, 'policy.yaml'), policy)
  authority = await start({
    roles: ['authority'],
    authority: {
      listen: '127.0.0.1:0',
      origin: 'https://auth.example',
      store: { file: join(folder, 'authority.sqlite') },
      keyEncryptionFile: join(folder, 'key'),
      tenants: [{ slug: 'acme-corp', policy: join(folder, 'policy.yaml'), providers: providers() }],
    },
  })
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})

afterEach(async () => {
  for (const application of running.splice(1)) await application.stop()
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await authority.stop()
  await sts.close()
  await rm(folder, { recursive: true })
})

function providers() {
  const accounts = [sts.account]
  return [
    {
      name: 'tokens',
      kind: 'aws',
      form: 'web-identity',
      issuers: [sts.issuer],
      accounts,
      keys: { discovery: true },
    },
    {
      name: 'requests',
      kind: 'aws',
      form: 'signed-request',
      accounts,
      regions: [REGION],
      stsEndpoint: sts.origin,
    },
  ]
}

async function start(document: object, surroundings = testSurroundings()): Promise<Application> {
  const operations = { listen: '127.0.0.1:0' }
  const application = await startApplication(
    resolveConfig({ operations, ...document }, {}),
    surroundings,
  )
  running.push(application)
  return application
}

/** A sidecar of a workload that has these credentials, asked for tokens for these audiences. */
async function askAs(
  { accessKeyId, secretAccessKey, sessionToken }: RoleCredentials,
  aws: object,
  audience = ISSUER,
) {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
  vi.stubEnv('AWS_SESSION_TOKEN', sessionToken)
  // It stands, so that no time-out of the broker ends a test on a slow machine.
  const clock = new FakeClock(Date.now())
  const surroundings = { ...testSurroundings(clock), http: nodeHttpClient(clock, {}) }
  const url = `http://${authority.addresses.authority[0] ?? ''}`
  const broker = await start(
    {
      roles: ['broker'],
      broker: {
        listen: ['127.0.0.1:0'],
        authority: { url, tenant: 'acme-corp' },
        proof: { source: 'aws', aws: { region: REGION, ...aws }, audience },
      },
    },
    surroundings,
  )
  const ask = async (scope: string): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(`http://${broker.addresses.broker[0] ?? ''}/v1/token${scope}`, {
      headers: { 'Lumo-Broker': 'true' },
    })
    return (await answer.json()) as Readonly<Record<string, unknown>>
  }
  const told = async () => `${surroundings.log.text()}${await surroundings.metrics.text()}`
  return { ask, told }
}

/** A new session of a role each: a signature is good once, and those of one session and second are the same. */
const reporter = () => sts.addRole('reporter', { path: '/team/' })
const stranger = () => sts.addRole('stranger')

const webIdentity = () => ({ form: 'web-identity', stsEndpoint: sts.origin })
const signedRequest = () => ({ form: 'signed-request' })

const subjectOf = ({ access_token: token }: Readonly<Record<string, unknown>>) =>
  typeof token === 'string' ? decodeJwt(token)['client_id'] : undefined

describe.each([
  ['a web identity token', webIdentity, 'reporter'],
  ['a signed request', signedRequest, 'signing-reporter'],
])('a workload on AWS with %s', (_name, aws, agent) => {
  test('gets the token of its agent', async () => {
    const { ask } = await askAs(reporter(), aws())
    expect(subjectOf(await ask(''))).toBe(agent)
  })

  test('gets several at once, each by a proof that is taken', async () => {
    const { ask } = await askAs(reporter(), aws())
    const scopes = ['', '?min_ttl=1', `?agent=${agent}`, `?agent=${agent}&min_ttl=1`]
    const answers = await Promise.all(scopes.map((scope) => ask(scope)))
    expect(answers.map((answer) => subjectOf(answer))).toEqual(scopes.map(() => agent))
  })

  test('gets none as another role', async () => {
    const { ask } = await askAs(stranger(), aws())
    expect(await ask('')).toMatchObject({ code: 'authority_refused' })
  })

  test('gets none with a proof that is made for another authority', async () => {
    const { ask } = await askAs(reporter(), aws(), 'https://other.example')
    expect(await ask('')).toMatchObject({ code: 'authority_refused' })
  })

  test('tells nobody its credentials', async () => {
    const role = stranger()
    const { ask, told } = await askAs(role, aws())
    const answer = JSON.stringify(await ask(''))
    const text = `${answer}${await told()}`
    const { accessKeyId, secretAccessKey, sessionToken } = role
    const secrets = [accessKeyId, secretAccessKey, sessionToken]
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  })
})
