import { sign } from 'aws4'
import { describe, expect, test } from 'vitest'
import { ProofFault } from '../../src/broker/proof.ts'
import { signedRequestProofs, type AwsCredentials } from '../../src/broker/proof/signed_request.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { proofAudience, settled } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeLog } from '../fakes/log.ts'

const PATH = '/?Action=GetCallerIdentity&Version=2011-06-15'
const session = {
  accessKeyId: 'ASIAEXAMPLEEXAMPLE23',
  secretAccessKey: 'the/secret+of/this+test',
  sessionToken: 'Fwo/GXIvYXdzE+session==',
}
const { sessionToken: _, ...user } = session

interface Request {
  readonly url: string
  readonly method: string
  readonly headers: readonly { readonly key: string; readonly value: string }[]
}

interface Setting {
  readonly credentials?: AwsCredentials
  readonly region?: string
  readonly host?: string
}

function signing({
  credentials = session,
  region = 'eu-central-1',
  host = 'sts.eu-central-1.amazonaws.com',
}: Setting = {}) {
  const around = {
    random: systemRandom,
    clock: new FakeClock(),
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  }
  const target = { region, host, audience: proofAudience }
  const proofs = signedRequestProofs(target, () => Promise.resolve(credentials), around)
  const token = async () => {
    const proof = await proofs.read()
    if (proof instanceof ProofFault) throw new Error(proof.detail)
    return proof.token
  }
  const request = async () => JSON.parse(decodeURIComponent(await token())) as Request
  return { ...around, proofs, token, request }
}

const keysOf = ({ headers }: Request) => headers.map(({ key }) => key)
const valueOf = ({ headers }: Request, name: string) =>
  headers.find(({ key }) => key === name)?.value

/** What another implementation of Signature Version 4 signs for the same headers. */
function signedByAws4(request: Request, credentials: AwsCredentials, region: string): unknown {
  const headers = Object.fromEntries(
    request.headers
      .filter(({ key }) => key !== 'authorization')
      .map(({ key, value }) => [key, value]),
  )
  const { host } = new URL(request.url)
  const { accessKeyId, secretAccessKey } = credentials
  const signed = sign(
    { service: 'sts', region, host, method: 'POST', path: PATH, headers },
    { accessKeyId, secretAccessKey },
  )
  return signed.headers?.['Authorization']
}

describe('the request', () => {
  const settings: readonly [string, Setting, readonly string[]][] = [
    [
      'of a role',
      {},
      ['host', 'x-amz-date', 'x-amz-security-token', 'x-lumo-audience', 'x-lumo-nonce'],
    ],
    ['of a user', { credentials: user }, ['host', 'x-amz-date', 'x-lumo-audience', 'x-lumo-nonce']],
    [
      'in China',
      { region: 'cn-north-1', host: 'sts.cn-north-1.amazonaws.com.cn' },
      ['host', 'x-amz-date', 'x-amz-security-token', 'x-lumo-audience', 'x-lumo-nonce'],
    ],
  ]

  test.each(settings)('%s has these headers, signs all and no others', async (_n, set, names) => {
    const request = await signing(set).request()
    expect(keysOf(request)).toEqual([...names, 'authorization'])
    expect(valueOf(request, 'authorization')).toContain(`SignedHeaders=${names.join(';')},`)
  })

  test.each(settings)('%s is signed as another implementation signs it', async (_name, set) => {
    const { credentials = session, region = 'eu-central-1' } = set
    const request = await signing(set).request()
    expect(valueOf(request, 'authorization')).toBe(signedByAws4(request, credentials, region))
  })

  test('is GetCallerIdentity at the regional endpoint, now, for this authority', async () => {
    const request = await signing().request()
    expect(request).toMatchObject({
      url: `https://sts.eu-central-1.amazonaws.com${PATH}`,
      method: 'POST',
    })
    expect(Object.keys(request)).toEqual(['url', 'method', 'headers'])
    expect(valueOf(request, 'host')).toBe('sts.eu-central-1.amazonaws.com')
    expect(valueOf(request, 'x-amz-date')).toBe('20261121T000000Z')
    expect(valueOf(request, 'x-lumo-audience')).toBe(proofAudience)
    expect(valueOf(request, 'x-amz-security-token')).toBe(session.sessionToken)
  })

  test('holds no secret', async () => {
    const token = decodeURIComponent(await signing().token())
    expect(token).not.toContain(session.secretAccessKey)
  })
})

test('the proof is of its own type, its subject does not change with the credentials', async () => {
  const one = signing()
  const other = signing({ credentials: user })
  const [proof, otherProof] = [await one.proofs.read(), await other.proofs.read()]
  expect(proof).toMatchObject({
    tokenType: 'urn:ietf:params:aws:token-type:aws4_request',
    subject: {
      issuer: 'https://sts.eu-central-1.amazonaws.com',
      sub: 'the role of this workload',
      instance: '',
    },
    expiresAt: one.clock.now + 900,
  })
  expect(one.proofs.last()).toEqual(other.proofs.last())
  expect(otherProof).not.toEqual(proof)
})

test('the last one is remembered without its signature', async () => {
  const { proofs } = signing()
  await proofs.read()
  expect(Object.keys(proofs.last() ?? {}).toSorted()).toEqual(['expiresAt', 'subject'])
})

test('a request is good once, so each is another, also within one second and with the same key', async () => {
  const tokens = await Promise.all(
    [signing(), signing()].flatMap(({ token }) => Array.from({ length: 25 }, token)),
  )
  expect(new Set(tokens).size).toBe(50)
})

describe('credentials', () => {
  const around = () => ({
    clock: new FakeClock(),
    random: systemRandom,
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  })
  const target = { region: 'us-east-1', host: 'sts.us-east-1.amazonaws.com', audience: 'a' }

  test('that are not there are a fault', async () => {
    const missing = new ProofFault('proof_credentials_missing', 'give it a role')
    const proofs = signedRequestProofs(target, () => Promise.resolve(missing), around())
    expect(await proofs.read()).toBe(missing)
    expect(proofs.last()).toBe(undefined)
  })

  test('are fetched once for all who need them, and not waited for without end', async () => {
    let asked = 0
    const world = around()
    const never = () => {
      asked += 1
      return new Promise<never>(() => {})
    }
    const proofs = signedRequestProofs(target, never, world)
    const waiting = Promise.all([proofs.read(), proofs.read()])
    await settled()
    world.clock.advance(3_000)
    expect(await waiting).toMatchObject([
      { code: 'proof_unavailable' },
      { code: 'proof_unavailable' },
    ])
    expect(asked).toBe(1)
  })
})
