import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import aws4 from 'aws4'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { motoMissing, startMoto, type MotoServer } from '../fakes/moto.ts'
import type { StsCredentials } from '../fakes/sts.ts'
import { encodeParts, type RequestParts, type SigningWish } from '../fakes/sts/signed_token.ts'
import { AUDIENCE, AwsWorld, outcomeOf, type Outcome } from '../verifier/aws/world.ts'

const ACCOUNT = '123456789012'
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const missing = motoMissing()
const world = new AwsWorld(systemClock)
let moto: MotoServer | undefined
let role: StsCredentials

beforeAll(async () => {
  if (missing !== undefined) return
  moto = await startMoto()
  role = await assumedRole(moto.origin, 'payments')
  // From here on moto looks at signatures.
  await fetch(`${moto.origin}/moto-api/reset-auth`, { method: 'POST', body: '0' })
})
afterAll(() => moto?.close())
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing)
})

async function assumedRole(endpoint: string, name: string): Promise<StsCredentials> {
  const credentials = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'any' }
  const body = `Action=CreateRole&Version=2010-05-08&RoleName=${name}&AssumeRolePolicyDocument={}`
  const { headers = {} } = aws4.sign(
    { host: 'iam.amazonaws.com', service: 'iam', region: 'us-east-1', method: 'POST', body },
    credentials,
  )
  const made = await fetch(endpoint, { method: 'POST', headers: withoutHost(headers), body })
  expect(made.status).toBe(200)
  const { Credentials } = await new STSClient({ endpoint, region: 'eu-west-1', credentials }).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
      RoleSessionName: 'session-1',
    }),
  )
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  }
}

/** fetch writes its own `Host`; moto goes by the scope of the signature then. */
function withoutHost(headers: object): Record<string, string> {
  const { Host: _, ...others } = headers as Record<string, string>
  return others
}

/** moto takes the query for a body where it is not told the hash of that. */
const parts = (wish: Partial<SigningWish> = {}): RequestParts =>
  world.parts({ credentials: role, headers: { 'x-amz-content-sha256': EMPTY }, ...wish })

function judge(parts: RequestParts) {
  const endpoint = new URL(moto?.origin ?? '')
  return world.judge(encodeParts(parts), world.provider({ accounts: [ACCOUNT], endpoint }))
}

test('moto accepts what aws4 signed for us, and says whose it is', async () => {
  const result = await judge(parts())
  expect(result).toMatchObject({
    kind: 'aws',
    account: ACCOUNT,
    subject: `arn:aws:iam::${ACCOUNT}:role/payments`,
    uniqueId: expect.stringMatching(/^AROA[A-Z0-9]+$/) as string,
  })
})

interface Refused {
  readonly name: string
  readonly wish?: () => Partial<SigningWish>
  readonly change?: (parts: RequestParts) => RequestParts
  readonly outcome: Outcome
}

const refused: readonly Refused[] = [
  {
    name: 'an audience that was changed after it was signed',
    wish: () => ({ audience: 'https://other.example' }),
    change: (parts) => edited(parts, 'x-lumo-audience', () => AUDIENCE),
    outcome: 'signature_invalid',
  },
  {
    name: 'a digit of the signature that was changed',
    change: (parts) =>
      edited(parts, 'authorization', (value) =>
        value.replace(/.$/, (end) => (end === '0' ? '1' : '0')),
      ),
    outcome: 'signature_invalid',
  },
  {
    name: 'another secret',
    wish: () => ({ credentials: { ...role, secretAccessKey: 'guessed' } }),
    outcome: 'signature_invalid',
  },
  {
    name: 'a key that moto does not know',
    wish: () => ({ credentials: { ...role, accessKeyId: 'ASIAUNKNOWNUNKNOWN00' } }),
    outcome: 'caller_unknown',
  },
]

test.each(refused)('moto refuses $name', async ({ wish, change = (parts) => parts, outcome }) => {
  expect(outcomeOf(await judge(change(parts(wish?.()))))).toBe(outcome)
})

function edited(
  parts: RequestParts,
  name: string,
  change: (value: string) => string,
): RequestParts {
  const headers = parts.headers.map(({ key, value }) => ({
    key,
    value: key.toLowerCase() === name ? change(value) : value,
  }))
  return { ...parts, headers }
}
