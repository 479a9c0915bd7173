import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import {
  GetCallerIdentityCommand,
  GetWebIdentityTokenCommand,
  STSClient,
  type GetWebIdentityTokenCommandInput,
} from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import { AwsRequestSigner } from 'google-auth-library/build/src/auth/awsrequestsigner.js'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import type { StsCredentials } from '../fakes/sts.ts'
import { encodeParts, type RequestParts } from '../fakes/sts/signed_token.ts'
import { ACCOUNT, AUDIENCE, AwsWorld, outcomeOf } from '../verifier/aws/world.ts'

const REGION = 'eu-west-1'
const HOST = `sts.${REGION}.amazonaws.com`
const QUERY = { Action: 'GetCallerIdentity', Version: '2011-06-15' }
const ROLE = `arn:aws:iam::${ACCOUNT}:role/payments`

const world = new AwsWorld(systemClock)
const { sts, role } = world
beforeAll(() => sts.start())
afterAll(() => sts.close())
beforeEach(() => {
  sts.failing = undefined
  sts.federationOff = false
  // Two signers that sign the same in one second make the same signature.
  world.spent.clear()
})

function client(credentials: StsCredentials = role): STSClient {
  return new STSClient({ endpoint: sts.origin, region: REGION, credentials, maxAttempts: 1 })
}

describe('@aws-sdk/client-sts', () => {
  test('learns who it is', async () => {
    expect(await client().send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments/session-1`,
      UserId: `${role.roleId}:session-1`,
    })
  })

  const strangers: readonly (readonly [
    name: string,
    credentials: StsCredentials,
    error: string,
  ])[] = [
    ['with a wrong secret', { ...role, secretAccessKey: 'guessed' }, 'SignatureDoesNotMatch'],
    ['with a wrong session', { ...role, sessionToken: 'guessed' }, 'InvalidClientTokenId'],
    ['with a wrong key', { ...role, accessKeyId: 'ASIAUNKNOWN' }, 'InvalidClientTokenId'],
  ]
  test.each(strangers)('%s does not', async (_, credentials, name) => {
    const asked = client(credentials).send(new GetCallerIdentityCommand({}))
    await expect(asked).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } })
  })

  test.each(['RS256', 'ES384'] as const)('gets a token of %s that verifies', async (algorithm) => {
    const { WebIdentityToken: token = '', Expiration } = await webIdentity({
      SigningAlgorithm: algorithm,
      DurationSeconds: 120,
      Tags: [{ Key: 'purpose', Value: 'test' }],
    })
    const discovered = await fetch(`${sts.issuer}/.well-known/openid-configuration`)
    const { issuer, jwks_uri } = (await discovered.json()) as Record<string, string>
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri ?? '')), {
      issuer: issuer ?? '',
      audience: AUDIENCE,
      algorithms: [algorithm],
      subject: ROLE,
    })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120)
    expect(Expiration?.getTime()).toBe((payload.exp ?? 0) * 1000)
    expect(decodeProtectedHeader(token).kid).toBe(algorithm === 'RS256' ? 'RSA_0' : 'EC384_0')
    expect(payload.aud).toBe(AUDIENCE)
    expect(payload['https://sts.amazonaws.com/']).toMatchObject({
      aws_account: ACCOUNT,
      source_region: REGION,
      principal_tags: {},
      request_tags: { purpose: 'test' },
    })
  })

  test('gets one for several audiences', async () => {
    const { WebIdentityToken: token = '' } = await webIdentity({ Audience: [AUDIENCE, 'other'] })
    const claims = token.split('.')[1] ?? ''
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: [AUDIENCE, 'other'],
    })
  })

  const refused: readonly (readonly [string, Partial<GetWebIdentityTokenCommandInput>])[] = [
    ['without an audience', { Audience: [] }],
    ['for eleven audiences', { Audience: Array.from({ length: 11 }, (_, at) => `a${String(at)}`) }],
    ['of another algorithm', { SigningAlgorithm: 'PS256' }],
    ['for 59 s', { DurationSeconds: 59 }],
    ['for over an hour', { DurationSeconds: 3601 }],
  ]
  test.each(refused)('gets none %s', async (_, wish) => {
    await expect(webIdentity(wish)).rejects.toMatchObject({ name: 'ValidationError' })
  })

  test('gets none where the account has not switched that on', async () => {
    sts.federationOff = true
    const name = 'OutboundWebIdentityFederationDisabledException'
    await expect(webIdentity({})).rejects.toMatchObject({ name })
  })
})

function webIdentity(wish: Partial<GetWebIdentityTokenCommandInput>) {
  return client().send(
    new GetWebIdentityTokenCommand({ Audience: [AUDIENCE], SigningAlgorithm: 'ES384', ...wish }),
  )
}

/** What @smithy/signature-v4 asks its caller for. */
class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }
  reset(): void {}
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data)
}

async function smithyParts(applyChecksum: boolean): Promise<RequestParts> {
  const signer = new SignatureV4({
    service: 'sts',
    region: REGION,
    credentials: role,
    sha256: Sha256,
    applyChecksum,
  })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname: HOST,
    path: '/',
    query: QUERY,
    headers: { host: HOST, 'x-lumo-audience': AUDIENCE },
  })
  return {
    url: `https://${HOST}/?${new URLSearchParams(QUERY).toString()}`,
    method: 'POST',
    headers: Object.entries(headers).map(([key, value]) => ({ key, value })),
  }
}

/** As AwsClient of google-auth-library makes its subject token, with our header for Google's. */
async function googleParts(): Promise<RequestParts> {
  const { accessKeyId, secretAccessKey, sessionToken: token } = role
  const signer = new AwsRequestSigner(
    () => Promise.resolve({ accessKeyId, secretAccessKey, token }),
    REGION,
  )
  const { url, headers } = await signer.getRequestOptions({
    url: `https://${HOST}?${new URLSearchParams(QUERY).toString()}`,
    method: 'POST',
    headers: { 'x-lumo-audience': AUDIENCE },
  })
  return {
    url: String(url),
    method: 'POST',
    headers: [...new Headers(headers)].map(([key, value]) => ({ key, value })),
  }
}

const signers: readonly (readonly [
  name: string,
  parts: () => RequestParts | Promise<RequestParts>,
])[] = [
  ['aws4', () => world.parts()],
  ['@smithy/signature-v4', () => smithyParts(false)],
  ['@smithy/signature-v4 with the hash of the body', () => smithyParts(true)],
  ['the signer of google-auth-library', googleParts],
]

test.each(signers)('what %s signed is accepted', async (_, parts) => {
  const result = await world.judge(encodeParts(await parts()))
  expect(outcomeOf(result)).toBe('accepted')
  expect(result).toMatchObject({ subject: ROLE })
})
