import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseSignedRequest } from '../../../src/verifier/aws/signed_request.ts'
import { ProofRefusal } from '../../../src/verifier/refusal.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { AwsWorld, outcomeOf } from './world.ts'

const world = new AwsWorld(new FakeClock())
beforeAll(() => world.sts.start())
afterAll(() => world.sts.close())

const parts = world.parts()
const json = JSON.stringify(parts)
const good = parseSignedRequest(encodeParts(parts))

const somewhere = fc.nat({ max: json.length - 1 })
const inserted = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '%',
    '&',
    '#',
    '@',
    ':',
    ';',
    ',',
    '/',
    '?',
    '\u212A',
  ),
  fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }),
)
const mutated = fc.oneof(
  fc.tuple(somewhere, inserted).map(([at, text]) => json.slice(0, at) + text + json.slice(at)),
  fc.tuple(somewhere, inserted).map(([at, text]) => json.slice(0, at) + text + json.slice(at + 1)),
  somewhere.map((at) => json.slice(0, at) + json.slice(at + 1)),
  somewhere.map((at) => json.slice(0, at)),
)
/** Any request with the members of one, each of them right or odd. */
const composed = fc
  .record({
    url: fc.oneof(fc.constant(parts.url), fc.webUrl({ withQueryParameters: true }), fc.jsonValue()),
    method: fc.constantFrom('POST', 'GET', 'post', null),
    headers: fc.oneof(
      fc.shuffledSubarray([...parts.headers, ...parts.headers]),
      fc.array(fc.record({ key: fc.constantFrom('host', 'accept', ''), value: fc.jsonValue() })),
      fc.jsonValue(),
    ),
  })
  .map((value) => JSON.stringify(value))

test.each([
  ['a mutated request', mutated, 1_000],
  ['members put together anew', composed, 500],
  ['rubbish', fc.oneof(fc.string({ unit: 'binary' }), fc.json()), 500],
])('what is accepted says what was signed: %s', async (_, texts, numRuns) => {
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (text, encoded) => {
      const token = encoded ? encodeURIComponent(text.toWellFormed()) : text
      const request = parseSignedRequest(token)
      if (request instanceof ProofRefusal) return
      world.spent.clear()
      if (outcomeOf(await world.judge(token)) !== 'accepted') return
      expect(request).toEqual(good)
    }),
    { numRuns },
  )
})
