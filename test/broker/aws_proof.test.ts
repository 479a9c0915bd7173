import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ProofFault, type Proof } from '../../src/broker/proof.ts'
import { awsProofs } from '../../src/compose/aws_credentials.ts'
import type { AwsProofConfig } from '../../src/config/config.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { AwsMetadata } from '../fakes/aws_metadata.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeSts, type RoleCredentials } from '../fakes/sts.ts'
import { failure } from '../fakes/sts/answers.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'
/** Stands in for the token of a pod, which is a credential of AWS. */
const POD_TOKEN = 'header.pod-token-canary.signature'

let sts: FakeSts
let metadata: AwsMetadata
let role: RoleCredentials
let folder: string

beforeAll(async () => {
  sts = await new FakeSts().start()
  role = sts.addRole('reporter', { path: '/team/' })
  metadata = await new AwsMetadata(POD_TOKEN, role).start()
  folder = await mkdtemp(join(tmpdir(), 'lumo-aws-'))
  await writeFile(join(folder, 'token'), POD_TOKEN)
})

afterAll(async () => {
  await sts.close()
  await metadata.close()
  await rm(folder, { recursive: true })
})

/** Nothing of the machine that the tests run on is found. */
beforeEach(() => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})

afterEach(() => {
  vi.unstubAllEnvs()
  sts.failing = undefined
  sts.federationOff = false
})

function inEnvironment({ accessKeyId, secretAccessKey, sessionToken }: RoleCredentials): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
  vi.stubEnv('AWS_SESSION_TOKEN', sessionToken)
}

function open(changes: Partial<AwsProofConfig> = {}) {
  // It stands, so that no time-out of ours ends a test on a slow machine; the SDK and STS have the true time.
  const clock = new FakeClock(Date.now())
  const around = { ...testSurroundings(clock), http: nodeHttpClient(clock, {}) }
  const config: AwsProofConfig = {
    from: 'aws',
    form: 'web-identity',
    region: 'eu-central-1',
    signingAlgorithm: 'ES384',
    stsUrl: new URL(sts.origin),
    ...changes,
  }
  return { ...around, proofs: awsProofs(config, AUDIENCE, around) }
}

function good(proof: Proof | ProofFault): Proof {
  if (proof instanceof ProofFault) throw new Error(`${proof.code}: ${proof.detail}`)
  return proof
}

const code = (proof: Proof | ProofFault) => (proof instanceof ProofFault ? proof.code : 'a proof')

const adviceOf = (proof: Proof | ProofFault) => (proof instanceof ProofFault ? proof.detail : '')

describe('a web identity token', () => {
  test('is asked of STS with these parameters, and no more', async () => {
    inEnvironment(role)
    sts.seen.length = 0
    await open().proofs.read()
    expect(sts.seen.map(({ method, path }) => [method, path])).toEqual([['POST', '/']])
    expect(Object.fromEntries(new URLSearchParams(sts.seen[0]?.body))).toEqual({
      Action: 'GetWebIdentityToken',
      Version: '2011-06-15',
      'Audience.member.1': AUDIENCE,
      DurationSeconds: '300',
      SigningAlgorithm: 'ES384',
    })
  })

  test.each(['ES384', 'RS256'] as const)('is signed with %s', async (signingAlgorithm) => {
    inEnvironment(role)
    const { token } = good(await open({ signingAlgorithm }).proofs.read())
    const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
    expect(JSON.parse(header)).toMatchObject({ alg: signingAlgorithm })
  })

  test('is about the role', async () => {
    inEnvironment(role)
    expect(good(await open().proofs.read()).subject).toEqual({
      issuer: sts.issuer,
      sub: 'arn:aws:iam::111122223333:role/team/reporter',
      instance: '',
    })
  })
})

describe('credentials are found', () => {
  const ways: readonly [string, () => Readonly<Record<string, string>>][] = [
    [
      'at the container endpoint of EKS Pod Identity',
      () => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${metadata.origin}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'token'),
      }),
    ],
    [
      'by the token of IRSA',
      () => ({
        AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
        AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/team/reporter',
        AWS_ENDPOINT_URL_STS: metadata.origin,
      }),
    ],
    [
      'in the metadata of the instance',
      () => ({
        AWS_EC2_METADATA_DISABLED: 'false',
        AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.origin,
      }),
    ],
  ]
  test.each(ways)('%s', async (_name, environment) => {
    for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value)
    const jwt = good(await open().proofs.read())
    expect(jwt.subject.sub).toBe('arn:aws:iam::111122223333:role/team/reporter')
    const request = good(await open({ form: 'signed-request' }).proofs.read())
    expect(decodeURIComponent(request.token)).toContain(`Credential=${role.accessKeyId}/`)
  })

  test.each(ways)('%s, and none of it is logged or counted', async (_name, environment) => {
    for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value)
    sts.failing = failure(403, 'AccessDenied', `token ${POD_TOKEN}`, undefined)
    const { proofs, log, metrics } = open()
    expect(code(await proofs.read())).toBe('proof_denied')
    const told = `${log.text()}${await metrics.text()}`
    const secrets = [POD_TOKEN, role.accessKeyId, role.secretAccessKey, role.sessionToken]
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
  })
})

describe('an environment that points elsewhere', () => {
  test('does not lead the token call away from the endpoint that is configured', async () => {
    inEnvironment(role)
    vi.stubEnv('AWS_ENDPOINT_URL', metadata.origin)
    vi.stubEnv('AWS_ENDPOINT_URL_STS', metadata.origin)
    vi.stubEnv('AWS_REGION', 'us-east-1')
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true')
    vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', 'true')
    expect(code(await open().proofs.read())).toBe('a proof')
    expect(sts.seen.at(-1)?.headers['authorization']).toContain('/eu-central-1/sts/')
  })
})

describe('each fault has its code, and says what to do', () => {
  const refused: readonly [string, number, string, RegExp][] = [
    ['AccessDenied', 403, 'proof_denied', /sts:GetWebIdentityToken/],
    ['AccessDeniedException', 403, 'proof_denied', /sts:GetWebIdentityToken/],
    ['JWTPayloadSizeExceededException', 400, 'proof_denied', /tags/],
    ['RegionDisabledException', 403, 'proof_denied', /region/],
    ['SessionDurationEscalationException', 403, 'proof_unavailable', /session/],
    ['ExpiredToken', 403, 'proof_credentials_refused', /expired/],
    ['InvalidClientTokenId', 403, 'proof_credentials_refused', /expired/],
    ['SignatureDoesNotMatch', 403, 'proof_credentials_refused', /clock/],
    ['Throttling', 400, 'proof_unavailable', /quota/],
    ['ServiceUnavailable', 503, 'proof_unavailable', /503/],
    ['Whatever', 418, 'proof_unavailable', /418/],
  ]
  test.each(refused)('%s with %i is %s', async (name, status, expected, detail) => {
    inEnvironment(role)
    sts.failing = failure(status, name, 'message-canary', undefined)
    const { proofs, log } = open()
    const fault = await proofs.read()
    expect(code(fault)).toBe(expected)
    expect(adviceOf(fault)).toMatch(detail)
    expect(log.text()).not.toContain('message-canary')
  })

  test('an account without outbound federation', async () => {
    inEnvironment(role)
    sts.federationOff = true
    const fault = await open().proofs.read()
    expect(code(fault)).toBe('proof_denied')
    expect(adviceOf(fault)).toContain('iam:EnableOutboundWebIdentityFederation')
  })

  test.each(['web-identity', 'signed-request'] as const)('no credentials for %s', async (form) => {
    const fault = await open({ form }).proofs.read()
    expect(code(fault)).toBe('proof_credentials_missing')
    expect(adviceOf(fault)).toContain('give the workload a role')
  })

  test('a role that IRSA may not take', async () => {
    await writeFile(join(folder, 'other'), 'not.the.token')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'other'))
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/team/reporter')
    vi.stubEnv('AWS_ENDPOINT_URL_STS', metadata.origin)
    expect(code(await open().proofs.read())).toBe('proof_credentials_missing')
  })

  const broken: readonly [string, { readonly status?: number; readonly body?: string }][] = [
    ['an answer that is no XML', { body: 'a login page' }],
    ['an answer of nothing', { body: '' }],
    ['an answer that is too long', { body: ' '.repeat(70_000) }],
    ['a redirect', { status: 307 }],
  ]
  test.each(broken)('%s brings no proof', async (_name, answer) => {
    inEnvironment(role)
    sts.failing = { headers: { location: `${metadata.origin}/` }, ...answer }
    expect(code(await open().proofs.read())).toMatch(/^proof_(unavailable|malformed)$/)
  })

  test('an endpoint where nobody is', async () => {
    inEnvironment(role)
    const stsUrl = new URL('http://127.0.0.1:1')
    const fault = await open({ stsUrl }).proofs.read()
    expect(code(fault)).toBe('proof_unavailable')
    expect(adviceOf(fault)).toContain('VPC endpoint')
  })
})
