import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ExchangeRequest } from '../../src/exchange/exchanger.ts'
import { begin, proofClaims, proofOf, proofPath, testBroker } from '../fakes/broker.ts'

/** Who asks, and for what. */
interface Asking {
  readonly issuer: string
  readonly sub: string
  readonly uid: string
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: readonly string[] | undefined
  readonly agent: string | undefined
}

const few = fc.constantFrom('a', 'b', 'ab', 'a,b', '"a"', '[a]')
const set = fc.array(few, { maxLength: 3 })

const askings: fc.Arbitrary<Asking> = fc.record({
  issuer: fc.constantFrom('https://one.example', 'https://two.example'),
  sub: few,
  uid: few,
  audiences: set,
  resources: fc.array(
    few.map((name) => `urn:x:${encodeURIComponent(name)}`),
    { maxLength: 3 },
  ),
  scope: fc.option(
    fc.array(fc.constantFrom('a', 'b', 'ab', 'a,b', '[a]'), { minLength: 1, maxLength: 3 }),
    {
      nil: undefined,
    },
  ),
  agent: fc.option(few, { nil: undefined }),
})

/** Two that differ in some parts only, so that each part alone is tried. */
const pairs = fc
  .tuple(
    askings,
    askings,
    fc.subarray(['issuer', 'sub', 'uid', 'audiences', 'resources', 'scope', 'agent'] as const),
  )
  .map(
    ([one, other, names]) =>
      [one, { ...one, ...Object.fromEntries(names.map((name) => [name, other[name]])) }] as const,
  )

function queryOf({ audiences, resources, scope, agent }: Asking): string {
  const query = new URLSearchParams()
  for (const audience of audiences) query.append('audience', audience)
  for (const resource of resources) query.append('resource', resource)
  if (scope) query.set('scope', scope.join(' '))
  if (agent !== undefined) query.set('agent', agent)
  return query.toString()
}

const sorted = (values: readonly string[]): readonly string[] => [...new Set(values)].toSorted()

/** What an asking is for, said without the broker. */
function meaning(asking: Asking): string {
  const { issuer, sub, uid, audiences, resources, scope, agent } = asking
  return JSON.stringify({
    issuer,
    sub,
    uid,
    audiences: sorted(audiences),
    resources: sorted(resources),
    scope: scope ? sorted(scope) : 'whatever',
    agent: agent ?? 'whoever',
  })
}

/** The same of a request that reached the authority. */
function meaningOf({
  subjectToken,
  audiences,
  resources,
  scope,
  clientId,
}: ExchangeRequest): string {
  const claims = JSON.parse(
    Buffer.from(subjectToken.split('.')[1] ?? '', 'base64url').toString(),
  ) as {
    readonly iss: string
    readonly sub: string
    readonly 'kubernetes.io': { readonly pod: { readonly uid: string } }
  }
  const bound = claims['kubernetes.io']
  return meaning({
    issuer: claims.iss,
    sub: claims.sub,
    uid: bound.pod.uid,
    audiences,
    resources,
    scope,
    agent: clientId,
  })
}

/** A broker whose authority puts what it was asked for into the token. */
function echoing() {
  const broker = testBroker()
  const { authority, clock, files, proofs } = broker
  authority.tokenOf = (_, request) => Buffer.from(meaningOf(request)).toString('base64url')
  const ask = async (asking: Asking): Promise<string> => {
    const { issuer, sub, uid } = asking
    const claims = {
      ...proofClaims(clock.now),
      iss: issuer,
      sub,
      'kubernetes.io': { pod: { uid } },
    }
    files.write(proofPath, proofOf(claims))
    await proofs.read()
    const answer = await begin(broker, queryOf(asking))
    if (!('token' in answer)) throw new Error(JSON.stringify(answer))
    return Buffer.from(answer.token, 'base64url').toString()
  }
  return { authority, ask }
}

test('two requests share a token when they are for the same one, and only then', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, async ([one, other]) => {
      const { authority, ask } = echoing()
      expect(await ask(one)).toBe(meaning(one))
      expect(await ask(other)).toBe(meaning(other))
      expect(authority.asked).toHaveLength(meaning(one) === meaning(other) ? 1 : 2)
      expect(await ask(one)).toBe(meaning(one))
    }),
    { numRuns: 1_000 },
  )
})

test('in another order, and with repetitions, a request shares the token', async () => {
  const shuffled = askings.chain((asking) =>
    fc
      .tuple(
        ...(['audiences', 'resources', 'scope'] as const).map((name) =>
          fc.shuffledSubarray([...(asking[name] ?? [])], { minLength: asking[name]?.length ?? 0 }),
        ),
      )
      .map(([audiences = [], resources = [], scope = []]) => {
        const again = (values: readonly string[]) => [...values, ...values.slice(0, 2)]
        return [
          asking,
          {
            ...asking,
            audiences: again(audiences),
            resources: again(resources),
            scope: asking.scope && again(scope),
          },
        ] as const
      }),
  )
  await fc.assert(
    fc.asyncProperty(shuffled, async ([one, other]) => {
      const { authority, ask } = echoing()
      await ask(one)
      expect(await ask(other)).toBe(meaning(one))
      expect(authority.asked).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})

test('many requests in any order get nothing but what they asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(askings, { maxLength: 30 }), async (many) => {
      const { ask } = echoing()
      for (const asking of many) expect(await ask(asking)).toBe(meaning(asking))
    }),
    { numRuns: 100 },
  )
})
