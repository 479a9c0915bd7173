import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HttpClient } from '../../src/platform/http_client.ts'
import { parseStrictJson } from '../../src/platform/strict_json.ts'
import { Questions } from '../../src/verifier/aws/questions.ts'
import { CannotVerify, ProofRefusal } from '../../src/verifier/refusal.ts'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { outcomeOf } from '../fakes/provider.ts'
import { failure, success } from '../fakes/sts/answers.ts'
import { checkSignature } from '../fakes/sts/signature.ts'
import { encodeParts, signParts, type RequestParts } from '../fakes/sts/signed_token.ts'
import { mutation, rubbish } from '../fuzz/mutations.ts'
import { share } from '../fuzz/share.ts'

const clock = new FakeClock()
const ACCOUNT = '111122223333'
const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'
const ROLE_ID = 'AROAABCDEFGHIJKLMNOP'
const credentials = {
  accessKeyId: 'ASIAABCDEFGHIJKLMNOP',
  secretAccessKey: 'a-secret-that-only-tests-know',
  sessionToken: 'c2Vzc2lvbg==',
}

/** STS without a socket: it recomputes every signature over what it is sent. */
const sts: HttpClient = ({ method, url, headers = {}, body = '' }) => {
  const path = `${url.pathname}${url.search}`
  const signed = checkSignature(
    { method, path, headers: { ...headers }, body: Buffer.from(body).toString() },
    (id) => (id === credentials.accessKeyId ? credentials : undefined),
    clock.wall(),
  )
  const answer =
    'error' in signed
      ? failure(403, signed.error, 'see the code', headers['accept'])
      : success(
          'GetCallerIdentity',
          {
            Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments/session-1`,
            UserId: `${ROLE_ID}:session-1`,
            Account: ACCOUNT,
          },
          headers['accept'],
        )
  return Promise.resolve({ ...answer, header: (name) => answer.headers[name] })
}

const verifier = new Providers(
  [
    {
      name: 'aws',
      kind: 'aws4_request',
      audiences: [AUDIENCE],
      partition: 'aws',
      regions: ['eu-west-1'],
      accounts: [ACCOUNT],
      maxAgeSeconds: 300,
      ask: sts,
      questions: new Questions(),
      // Each case is judged as if it were the first.
      once: () => Promise.resolve(true),
    },
  ],
  clock,
)
const judge = (awsRequest: string) => verifier.verify({ awsRequest })

const parts = signParts({ credentials, audience: AUDIENCE, at: clock.now })
const good = encodeParts(parts)
const json = JSON.stringify(parts)

/** What a request says, in one spelling. */
function meaning({ url, method, headers }: RequestParts): unknown {
  const entries = headers.map(({ key, value }) => {
    const name = key.toLowerCase()
    return [name, name === 'authorization' ? value.replaceAll(', ', ',') : value] as const
  })
  return { url: url.replace('com?', 'com/?'), method, headers: Object.fromEntries(entries) }
}

async function acceptsOnlyWhatWasSigned(text: string): Promise<void> {
  const result = await judge(text)
  if (result instanceof ProofRefusal || result instanceof CannotVerify) return
  const request = parseStrictJson(decodeURIComponent(text)) as RequestParts
  expect(meaning(request)).toEqual(meaning(parts))
  expect(result).toMatchObject({
    kind: 'aws',
    subject: `arn:aws:iam::${ACCOUNT}:role/payments`,
    uniqueId: ROLE_ID,
  })
}

const mutatedToken = mutation.map((mutate) => mutate(good))
const mutatedJson = mutation.map((mutate) => encodeURIComponent(mutate(json).toWellFormed()))

/** A header of the request, with something done to its value. */
const headerChanged = fc
  .tuple(fc.nat({ max: parts.headers.length - 1 }), mutation)
  .map(([index, mutate]) => {
    const headers = parts.headers.map(({ key, value }, at) =>
      at === index ? { key, value: mutate(value) } : { key, value },
    )
    return encodeParts({ ...parts, headers })
  })

/** Members of a request, each of them right or odd. */
const composed = fc
  .record({
    url: fc.oneof(fc.constant(parts.url), fc.webUrl({ withQueryParameters: true }), fc.jsonValue()),
    method: fc.constantFrom('POST', 'POST', 'GET', 'post', null),
    headers: fc.oneof(
      fc.shuffledSubarray([...parts.headers]),
      fc.shuffledSubarray([...parts.headers, ...parts.headers]),
      fc.jsonValue(),
    ),
  })
  .map((value) => encodeParts(value))

test('the request that the others are made of is good', async () => {
  expect(outcomeOf(await judge(good))).toBe('accepted')
})

test.each([
  ['a mutated request', mutatedToken, 0.04],
  ['mutated JSON', mutatedJson, 0.04],
  ['a mutated header', headerChanged, 0.04],
  ['members put together anew', composed, 0.02],
  ['rubbish', rubbish, 0.01],
])('what is accepted says what was signed: %s', async (_, texts, of) => {
  await fc.assert(fc.asyncProperty(texts, acceptsOnlyWhatWasSigned), share(of))
})

test('a token is no request, and a request no token', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedJson, async (text) => {
      expect(outcomeOf(await verifier.verify(text))).not.toBe('accepted')
    }),
    share(0.01),
  )
})
