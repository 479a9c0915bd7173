import { describe, expect, test } from 'vitest'
import { keepFresh } from '../../src/broker/refresh.ts'
import { warmUp } from '../../src/broker/warm_up.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { begin, pass, settled, testBroker, type TestBroker } from '../fakes/broker.ts'
import { fixedRandom } from '../fakes/random.ts'

type Entry = Readonly<Record<string, unknown>>

function policyOf(workload: Entry): LocalPolicy {
  const bytes = Buffer.from(JSON.stringify({ workloads: [{ name: 'rule', ...workload }] }))
  return LocalPolicy.parse([{ path: 'local.json', bytes }])
}

function brokerWith(workload: Entry, grants: readonly string[] | undefined): TestBroker {
  const broker = testBroker({ random: fixedRandom(0.5) })
  broker.usePolicy(policyOf(workload))
  broker.authority.grants = grants
  return broker
}

/** What the authority was asked for, one text for each time; `*`: for no scope. */
const asked = ({ authority }: TestBroker) =>
  authority.asked.map(({ scope }) => scope?.join(' ') ?? '*')

/** What became of it: the scope that is served, or the code of the refusal. */
async function outcomeOf(broker: TestBroker, query: string): Promise<string> {
  const outcome = await begin(broker, query)
  if ('code' in outcome) return outcome.code
  const [held] = broker.cache.values().map(([, { scope }]) => scope)
  return held ?? 'unknown'
}

const A = 'https://a.example'
const allow = [
  { audience: A, scopes: ['read', 'list'] },
  { audience: 'urn:b', scopes: ['list'] },
]

describe('a request that names no scope', () => {
  test.each<[string, readonly string[], string, string, readonly string[]]>([
    ['more than that', ['read', 'list', 'write'], `audience=${A}`, 'read list', ['read list']],
    ['just that', ['read', 'list'], `audience=${A}`, 'read list', ['read list']],
    ['a part of it', ['read'], `audience=${A}`, 'read', ['read list', '*']],
    ['a part, and others', ['write', 'read'], `audience=${A}`, 'read', ['read list', '*', 'read']],
    ['none of it', ['write'], `audience=${A}`, 'scope_not_allowed', ['read list', '*']],
    ['nothing at all', [], `audience=${A}`, '', ['read list', '*']],
    ['more, at two targets', ['read', 'list'], `audience=${A}&audience=urn:b`, 'list', ['list']],
  ])('is asked for what the policy allows: of %s', async (_name, grants, query, outcome, seen) => {
    const broker = brokerWith({ allow }, grants)
    expect(await outcomeOf(broker, query)).toBe(outcome)
    expect(asked(broker)).toEqual(seen)
  })

  test.each<[string, readonly Entry[], readonly string[], string, readonly string[]]>([
    ['any scope', [{ audience: A }], ['read', 'write'], 'read write', ['*']],
    [
      'any scope by one of two',
      [{ audience: A }, { audience: 'https://*.example', scopes: ['read'] }],
      ['write'],
      'write',
      ['*'],
    ],
    ['none', [{ audience: A, scopes: [] }], ['read'], 'scope_not_allowed', ['*']],
    [
      'more than a request can hold',
      [0, 1].map((half) => ({
        audience: `https://${half === 0 ? 'a' : '*'}.example`,
        scopes: Array.from({ length: 100 }, (_, at) => `s${String(half)}${String(at)}`),
      })),
      ['s01', 'x'],
      's01',
      ['*', 's01'],
    ],
  ])('where the policy allows %s', async (_name, entries, grants, outcome, seen) => {
    const broker = brokerWith({ allow: entries }, grants)
    expect(await outcomeOf(broker, `audience=${A}`)).toBe(outcome)
    expect(asked(broker)).toEqual(seen)
  })

  test('has an entry of its own beside one that names what it was asked for', async () => {
    const broker = brokerWith({ allow }, ['read'])
    expect(await outcomeOf(broker, `audience=${A}`)).toBe('read')
    expect(await begin(broker, `audience=${A}&scope=read+list`)).toMatchObject({
      error: 'invalid_scope',
    })
    expect(await begin(broker, `audience=${A}`)).toMatchObject({ token: 'token-1' })
  })

  test('is asked for the same at each refresh, and is what min_ttl is measured by', async () => {
    const broker = brokerWith({ allow }, ['read', 'write'])
    await begin(broker, `audience=${A}`)
    const stop = keepFresh({
      getToken: broker.getToken,
      workloads: () => [broker.workload],
      followsFile: false,
      maxEntries: 100,
      clock: broker.clock,
    })
    await begin(broker, `audience=${A}`)
    await pass(broker.clock, 3_000_000, 100_000)
    stop()
    expect(asked(broker)).toEqual(['read list', '*', 'read', 'read list', '*', 'read'])
    expect(await begin(broker, `audience=${A}&min_ttl=9999`)).toMatchObject({
      code: 'min_ttl_too_long',
    })
  })

  test('spends one exchange, however often the authority is asked', async () => {
    const broker = brokerWith({ allow, exchangesPerMinute: 1 }, ['read', 'write'])
    expect(await outcomeOf(broker, `audience=${A}`)).toBe('read')
    expect(await begin(broker, 'audience=urn:b')).toMatchObject({ code: 'exchanges_exhausted' })
  })
})

test.each<[string, string]>([
  ['more than the policy allows', 'scope_not_allowed'],
  ['what the authority does not grant', 'request_refused'],
])('a scope that is named is asked for as it is, or not at all: %s', async (_name, code) => {
  const broker = brokerWith({ allow }, ['read', 'write'])
  const scope = code === 'request_refused' ? 'list' : 'read+write'
  expect(await outcomeOf(broker, `audience=${A}&scope=${scope}`)).toBe(code)
  expect(asked(broker)).toEqual(code === 'request_refused' ? ['list'] : [])
})

describe('the first token', () => {
  test.each<[string, Entry, readonly string[] | undefined, readonly string[]]>([
    ['is for what is allowed', { allow: [{ scopes: ['read'] }] }, ['read', 'write'], ['read']],
    ['has no scope where there is none', { allow: [{ scopes: ['read'] }] }, [], ['read', '*']],
    [
      'is waited for in vain where nothing is common',
      { allow: [{ scopes: ['read'] }] },
      ['write'],
      ['read', '*'],
    ],
    [
      'has the target that is said',
      { allow: [{ audience: A }], defaults: { audience: A } },
      [],
      ['*'],
    ],
    [
      'is waited for in vain where the authority does not know the target that is said',
      { allow: [{ audience: A }], defaults: { audience: A } },
      undefined,
      ['*', '*'],
    ],
  ])('%s', async (_name, workload, grants, seen) => {
    const broker = brokerWith(workload, grants)
    if (!grants) broker.authority.fail(new ExchangeFailure('relayed', 'invalid_target', '400'))
    const warming = warmUp(broker)
    await settled()
    const refused = await Promise.race([warming.refused, settled().then(() => 'not refused')])
    expect([refused, warming.done()]).toEqual(['not refused', true])
    expect(asked(broker)).toEqual(seen)
  })
})

describe('what a policy says for requests that leave it out', () => {
  const workload = {
    allow: [{ audience: A, scopes: ['read'] }, { audience: 'urn:b' }],
    defaults: { audience: A, agent: 'reader' },
  }
  const parts = ({ authority }: TestBroker) =>
    authority.asked.map(({ audiences, resources, scope, clientId }) =>
      [...audiences, ...resources, scope?.join('+') ?? '*', clientId].join(' '),
    )

  test.each<[string, readonly string[]]>([
    ['', [`${A} read reader`]],
    ['scope=read', [`${A} read reader`]],
    ['agent=other', [`${A} read other`]],
    ['audience=urn:b', ['urn:b * reader']],
    ['resource=urn:b', ['urn:b * reader']],
    ['scope=write', []],
    ['audience=urn:c', []],
  ])('%j', async (query, seen) => {
    const broker = brokerWith(workload, undefined)
    await begin(broker, query)
    expect(parts(broker)).toEqual(seen)
  })

  test('counts as the target that it is', async () => {
    const broker = brokerWith({ ...workload, audiencesPerHour: 1 }, undefined)
    await begin(broker)
    expect(await begin(broker, `audience=${A}`)).toMatchObject({ token: 'token-2' })
    expect(await begin(broker, 'audience=urn:b')).toMatchObject({ code: 'audiences_exhausted' })
  })

  test('is another after a change: what is held for the one before is dropped', async () => {
    const broker = brokerWith(workload, undefined)
    await begin(broker)
    broker.usePolicy(policyOf({ ...workload, defaults: { audience: 'urn:b' } }))
    broker.gate.review(broker.workload)
    expect(await begin(broker)).toMatchObject({ token: 'token-2' })
    expect(parts(broker)).toEqual([`${A} read reader`, 'urn:b * '])
  })

  test('is another while a token is on its way: that one is not kept', async () => {
    const broker = brokerWith(workload, undefined)
    broker.authority.slowDown()
    const caller = begin(broker)
    await settled()
    broker.usePolicy(policyOf({ ...workload, defaults: { audience: 'urn:b' } }))
    broker.gate.review(broker.workload)
    broker.authority.release()
    expect(await caller).toMatchObject({ token: 'token-2' })
    expect(parts(broker)).toEqual([`${A} read reader`, 'urn:b * '])
  })
})
