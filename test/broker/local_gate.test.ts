import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { keepFresh } from '../../src/broker/refresh.ts'
import { plainWish, type Wish } from '../../src/broker/wish.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { subjectKey } from '../../src/policy/local/subject_key.ts'
import { ask, begin, pass, testBroker, type TestBroker } from '../fakes/broker.ts'
import { fixedRandom } from '../fakes/random.ts'

function policyOf(...workloads: readonly object[]): LocalPolicy {
  return LocalPolicy.parse([
    { path: 'local.json', bytes: Buffer.from(JSON.stringify({ workloads })) },
  ])
}

const account = { namespace: 'research', serviceAccount: 'doc-analyst' }
const narrow = policyOf({
  name: 'analyst',
  ...account,
  allow: [
    { scopes: ['agent:self'] },
    { audience: 'https://a.example/**', scopes: ['read', 'list'] },
    { audience: 'urn:b', scopes: ['read'] },
  ],
})
const nobody = policyOf({ name: 'others', namespace: 'research', serviceAccount: 'reporter' })

function withPolicy(
  policy: LocalPolicy | undefined,
  changes: Parameters<typeof testBroker>[0] = {},
) {
  const broker = testBroker(changes)
  broker.usePolicy(policy)
  return broker
}

const denied = (code: string) => ({ status: 403, error: 'access_denied', code })

describe('before an exchange the local policy', () => {
  const rows: readonly (readonly [query: string, policy: LocalPolicy, code: string | undefined])[] =
    [
      ['', narrow, undefined],
      ['scope=agent:self', narrow, undefined],
      ['audience=https://a.example/x&scope=read', narrow, undefined],
      ['audience=https://a.example/x&scope=read+list', narrow, undefined],
      ['audience=https://a.example/x&resource=urn:b&scope=read', narrow, undefined],
      ['', nobody, 'workload_not_allowed'],
      ['audience=https://a.example/x', nobody, 'workload_not_allowed'],
      ['audience=https://other.example', narrow, 'audience_not_allowed'],
      ['resource=https://other.example', narrow, 'audience_not_allowed'],
      ['audience=https://a.example/x&audience=urn:c', narrow, 'audience_not_allowed'],
      ['audience=https://a.example.evil.example/x', narrow, 'audience_not_allowed'],
      ['scope=read', narrow, 'scope_not_allowed'],
      ['audience=urn:b&scope=list', narrow, 'scope_not_allowed'],
      ['audience=https://a.example/x&audience=urn:b&scope=list', narrow, 'scope_not_allowed'],
      ['audience=https://a.example/x&scope=read+write', narrow, 'scope_not_allowed'],
    ]
  test.each(rows)('judges %j', async (query, policy, code) => {
    const broker = withPolicy(policy)
    if (code === undefined) {
      expect(await begin(broker, query)).toMatchObject({ expiresIn: 3_600 })
      return
    }
    expect(await begin(broker, query)).toEqual(denied(code))
    expect(broker.authority.asked).toEqual([])
    expect(await broker.metrics.text()).toContain(`lumo_local_denied_total{reason="${code}"} 1\n`)
    const rule = code === 'workload_not_allowed' ? undefined : 'analyst'
    expect(broker.log.lines.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
      { level: 'warn', event: 'local.denied', reason: code, rule },
    ])
  })

  test('is told to nobody with what was asked for', async () => {
    const broker = withPolicy(narrow)
    const canary = 'canary-7f3a'
    for (const query of [
      `audience=https://${canary}.example`,
      `scope=${canary}`,
      `audience=urn:b&scope=${canary}`,
      `agent=${canary}&audience=${canary}`,
    ]) {
      const wish = broker.wishOf(query) as Wish
      const result = await broker.getToken.byExchange(broker.workload, wish)
      expect(result instanceof BrokerError && result.body()).not.toContain(canary)
    }
    expect(broker.log.lines).toHaveLength(4)
    expect(broker.log.text() + (await broker.metrics.text())).not.toContain(canary)
  })

  test('denies nothing where there is none', async () => {
    const broker = withPolicy(undefined)
    expect(await begin(broker, 'audience=https://other.example')).toMatchObject({
      expiresIn: 3_600,
    })
  })
})

describe('after an exchange', () => {
  test.each([
    ['', 'agent:self', undefined],
    ['', 'agent:self admin', 'scope_not_allowed'],
    ['audience=urn:b', 'read', undefined],
    ['audience=urn:b', '', undefined],
    ['audience=urn:b', 'read list', 'scope_not_allowed'],
    ['audience=urn:b&scope=read', 'read write', 'scope_not_allowed'],
  ])('of %j a token with the scope %j is served or not', async (query, granted, code) => {
    const broker = withPolicy(narrow, {
      through: (authority) => ({
        exchange: async (request) => {
          const issued = await authority.exchange(request)
          return issued instanceof ExchangeFailure ? issued : { ...issued, scope: granted }
        },
      }),
    })
    const outcome = await begin(broker, query)
    if (code === undefined) {
      expect(outcome).toMatchObject({ expiresIn: 3_600 })
      return
    }
    expect(outcome).toEqual(denied(code))
    expect(broker.cache.size).toBe(0)
    // Remembered, so that the next one does not have it minted again.
    expect(await begin(broker, query)).toEqual(denied(code))
    expect(broker.authority.asked).toHaveLength(1)
    broker.clock.advance(10_000)
    await begin(broker, query)
    expect(broker.authority.asked).toHaveLength(2)
  })

  test('ahead of time as well: a wider token takes the place of none', async () => {
    let granted = 'read'
    const broker = withPolicy(narrow, {
      random: fixedRandom(0.5),
      through: (authority) => ({
        exchange: async (request) => {
          const issued = await authority.exchange(request)
          return issued instanceof ExchangeFailure ? issued : { ...issued, scope: granted }
        },
      }),
    })
    const stop = keepFresh({
      getToken: broker.getToken,
      workloads: () => [broker.workload],
      followsFile: false,
      maxEntries: 100,
      clock: broker.clock,
    })
    await begin(broker, 'audience=urn:b')
    granted = 'read write'
    broker.clock.advance(2_400_000)
    await pass(broker.clock, 2_000)
    stop()
    expect(broker.cache.size).toBe(0)
    expect(await begin(broker, 'audience=urn:b')).toEqual(denied('scope_not_allowed'))
    expect(await broker.metrics.text()).toContain('lumo_refreshes_total{outcome="denied"} 1\n')
  })
})

describe('a scope that the authority does not say, or that cannot be read', () => {
  const answered = (scope: string | undefined) => ({
    accessToken: 'token-x',
    scope,
    lifetimeSeconds: 3_600,
  })
  const ruled = (scopes: object) =>
    policyOf({ name: 'analyst', ...account, allow: [{ audience: 'urn:a', ...scopes }] })

  test.each([
    ['none', undefined],
    ['two spaces', 'read  admin'],
    ['a space first', ' admin'],
    ['a tab', 'read\tadmin'],
    ['a quote', 'admin "x"'],
    [
      'more of them than can be',
      Array.from({ length: 101 }, (_, at) => `s${String(at)}`).join(' '),
    ],
  ])('is further than any that the policy names: %s', async (_name, scope) => {
    const exchanger = { exchange: () => Promise.resolve(answered(scope)) }
    const broker = withPolicy(ruled({ scopes: ['read'] }), { through: () => exchanger })
    expect(await begin(broker, 'audience=urn:a')).toMatchObject({ code: 'scope_not_allowed' })
    const open = withPolicy(ruled({}), { through: () => exchanger })
    expect(await begin(open, 'audience=urn:a')).toMatchObject({ token: 'token-x' })
  })
})

describe('limits', () => {
  const exhausted = (code: string) => ({ status: 429, error: 'too_many_requests', code })
  const rule = { name: 'analyst', ...account }
  const limits = { exchangesPerMinute: 3, audiencesPerHour: 2 }

  /** Asks for as many different tokens, and tells which were denied. */
  async function askFor(broker: TestBroker, queries: readonly string[]) {
    const outcomes = []
    for (const query of queries) outcomes.push(await begin(broker, query))
    return outcomes.map((outcome) => ('token' in outcome ? 'served' : outcome))
  }

  test.each([
    ['of the configuration', { limits }, undefined],
    ['of the rule, before those', {}, policyOf({ ...rule, ...limits })],
    [
      'of the rule, where the others are less',
      { limits: { exchangesPerMinute: 1, audiencesPerHour: 1 } },
      policyOf({ ...rule, ...limits }),
    ],
  ])('%s hold', async (_, changes, policy) => {
    const broker = withPolicy(policy, changes)
    const scopes = await askFor(broker, ['scope=a', 'scope=b', 'scope=c', 'scope=d'])
    expect(scopes).toEqual(['served', 'served', 'served', exhausted('exchanges_exhausted')])
    broker.clock.advance(60_000)
    const targets = await askFor(broker, ['audience=a', 'audience=b'])
    expect(targets).toEqual(['served', exhausted('audiences_exhausted')])
    // What is held costs nothing.
    expect(await askFor(broker, ['scope=a', 'scope=b', 'audience=a'])).toEqual([
      'served',
      'served',
      'served',
    ])
  })

  test.each([
    ['scope', { exchangesPerMinute: 2, audiencesPerHour: 9 }, 'exchanges_exhausted', 60],
    ['audience', { exchangesPerMinute: 9, audiencesPerHour: 2 }, 'audiences_exhausted', 3_600],
  ])('say when to come again: %s', async (name, limits, code, retryAfterSeconds) => {
    const broker = withPolicy(undefined, { limits })
    await askFor(broker, [`${name}=a`, `${name}=b`])
    const wish = broker.wishOf(`${name}=c`) as Wish
    const result = await broker.getToken.byExchange(broker.workload, wish)
    expect(result).toMatchObject({ status: 429, code, retryAfterSeconds })
    broker.clock.advance(retryAfterSeconds * 1_000)
    expect(await askFor(broker, [`${name}=c`])).toEqual(['served'])
  })

  test('take nothing away that is held, below its floor too', async () => {
    const broker = withPolicy(undefined, { limits: { exchangesPerMinute: 1, audiencesPerHour: 9 } })
    await begin(broker)
    broker.clock.advance(3_500_000)
    await begin(broker, 'scope=b')
    expect(await begin(broker)).toMatchObject({ expiresIn: 100 })
    expect(await begin(broker, 'min_ttl=200')).toEqual(exhausted('exchanges_exhausted'))
  })

  test('many callers of one token spend once', async () => {
    const broker = withPolicy(undefined, { limits: { exchangesPerMinute: 1, audiencesPerHour: 1 } })
    const callers = Array.from({ length: 50 }, () => begin(broker))
    expect((await Promise.all(callers)).every((outcome) => 'token' in outcome)).toBe(true)
    expect(await begin(broker, 'scope=b')).toEqual(exhausted('exchanges_exhausted'))
  })

  test('a denial spends nothing', async () => {
    const broker = withPolicy(narrow, { limits: { exchangesPerMinute: 1, audiencesPerHour: 1 } })
    for (let index = 0; index < 10; index += 1) await begin(broker, 'audience=urn:c')
    expect(await begin(broker)).toMatchObject({ expiresIn: 3_600 })
  })

  test('what is refreshed ahead of time spends nothing', async () => {
    const broker = withPolicy(undefined, {
      random: fixedRandom(0.5),
      limits: { exchangesPerMinute: 1, audiencesPerHour: 1 },
    })
    const stop = keepFresh({
      getToken: broker.getToken,
      workloads: () => [broker.workload],
      followsFile: false,
      maxEntries: 100,
      clock: broker.clock,
    })
    broker.authority.lifetimeSeconds = 60
    await begin(broker)
    for (let second = 0; second < 300; second += 1) {
      expect(await begin(broker)).toMatchObject({ token: expect.any(String) as string })
      await pass(broker.clock, 1_000)
    }
    stop()
    expect(broker.authority.asked.length).toBeGreaterThan(5)
  })
})

describe('acting for others', () => {
  const rule = { name: 'analyst', ...account }
  const user = (sub: string) => subjectKey({ iss: 'https://auth.example', sub })
  const tooDeep = (depth: number) => ({
    status: 403,
    error: 'delegation_depth_exceeded',
    code: 'delegation_too_deep',
    members: { max_depth: depth },
  })
  const limits = { actDepth: 2 }

  test.each<[string, LocalPolicy | undefined, number, object | undefined]>([
    ['the limit', undefined, 2, undefined],
    ['one more', undefined, 3, tooDeep(2)],
    ['nobody else', undefined, 0, undefined],
    ['a rule that says nothing of it', policyOf(rule), 3, tooDeep(2)],
    ['the limit of a rule', policyOf({ ...rule, delegation: { maxDepth: 4 } }), 4, undefined],
    ['more than that', policyOf({ ...rule, delegation: { maxDepth: 4 } }), 5, tooDeep(4)],
    ['less in a rule', policyOf({ ...rule, delegation: { maxDepth: 1 } }), 2, tooDeep(1)],
    [
      'a rule that lets it act for nobody',
      policyOf({ ...rule, delegation: { maxDepth: 0 } }),
      1,
      denied('delegation_not_allowed_here'),
    ],
    [
      'for itself, under such a rule',
      policyOf({ ...rule, delegation: { maxDepth: 0 } }),
      0,
      undefined,
    ],
    ['no rule', nobody, 1, denied('workload_not_allowed')],
  ])('as deep as is allowed: %s', async (_name, policy, depth, expected) => {
    const broker = withPolicy(policy, { limits })
    await begin(broker)
    const refused = broker.gate.deniesDelegation(broker.workload, depth)
    if (expected) expect(refused).toMatchObject(expected)
    else expect(refused).toBeUndefined()
  })

  const spender = (broker: TestBroker) => (sub: string) => {
    const { gate, workload } = broker
    const error = gate.spendForSubject(workload, plainWish, user(sub))
    return error ? `${error.code} ${String(error.retryAfterSeconds)}` : 'ok'
  }

  test.each<[string, object, object | undefined]>([
    ['of the configuration', { subjectsAtOnce: 2, exchangesPerSubjectPerMinute: 3 }, undefined],
    [
      'of the rule, before those',
      { subjectsAtOnce: 1, exchangesPerSubjectPerMinute: 1 },
      { subjects: 2, exchangesPerMinute: 3 },
    ],
    ['of both', { subjectsAtOnce: 2, exchangesPerSubjectPerMinute: 1 }, { exchangesPerMinute: 3 }],
  ])('as often, and for as many, as the limits %s', (_name, limits, delegation) => {
    const policy = delegation && policyOf({ ...rule, delegation })
    const broker = withPolicy(policy, { limits })
    // What the policy says is known when the proof is.
    const outcomes = begin(broker).then(() => ['a', 'a', 'a', 'a', 'b', 'c'].map(spender(broker)))
    return expect(outcomes).resolves.toEqual([
      'ok',
      'ok',
      'ok',
      'subject_exchanges_exhausted 60',
      'ok',
      'subjects_exhausted 60',
    ])
  })

  test('counts as exchanges of the workload, too; what is denied spends of neither', async () => {
    const broker = withPolicy(undefined, {
      limits: { exchangesPerMinute: 2, exchangesPerSubjectPerMinute: 1 },
    })
    const spend = spender(broker)
    expect(['a', 'a', 'a', 'b', 'c', 'c'].map(spend)).toEqual([
      'ok',
      'subject_exchanges_exhausted 60',
      'subject_exchanges_exhausted 60',
      'ok',
      'exchanges_exhausted 60',
      'exchanges_exhausted 60',
    ])
    expect(broker.workload.delegations.subjects).toBe(2)
    expect(await begin(broker)).toEqual({
      status: 429,
      error: 'too_many_requests',
      code: 'exchanges_exhausted',
    })
  })

  test('a subject more is denied before anything is exchanged for it, and one that is held is not', () => {
    const { gate, workload } = withPolicy(undefined, { limits: { subjectsAtOnce: 1 } })
    const release = workload.delegations.hold(user('a'))
    expect(gate.deniesSubject(workload, user('a'))).toBeUndefined()
    expect(gate.deniesSubject(workload, user('b'))).toMatchObject({ code: 'subjects_exhausted' })
    release()
    expect(gate.deniesSubject(workload, user('b'))).toBeUndefined()
  })

  test('is told to nobody with whom it was for', async () => {
    const broker = withPolicy(undefined, {
      limits: { actDepth: 1, subjectsAtOnce: 1, exchangesPerSubjectPerMinute: 1 },
    })
    const spend = spender(broker)
    for (const sub of ['canary-7f3a', 'canary-7f3a', 'canary-7f3b']) spend(sub)
    broker.gate.deniesDelegation(broker.workload, 2)
    expect(broker.log.lines.map(({ fields }) => fields?.['reason'])).toEqual([
      'subject_exchanges_exhausted',
      'subjects_exhausted',
      'delegation_too_deep',
    ])
    const metrics = await broker.metrics.text()
    expect(metrics).toContain('lumo_local_denied_total{reason="delegation_too_deep"} 1\n')
    expect(broker.log.text() + metrics).not.toContain('canary')
  })
})

describe('a policy that changes', () => {
  /** A broker that holds three tokens, and then this policy. */
  async function changed(policy: LocalPolicy | undefined) {
    const broker = withPolicy(undefined)
    for (const query of queries) await begin(broker, query)
    broker.usePolicy(policy)
    broker.gate.review(broker.workload)
    return broker
  }
  const queries = ['', 'audience=urn:b&scope=read', 'audience=urn:c&scope=read']

  test('drops what it no longer allows, and nothing else', async () => {
    const broker = await changed(narrow)
    expect(await Promise.all(queries.map((query) => begin(broker, query)))).toEqual([
      { token: 'token-1', expiresIn: 3_600 },
      { token: 'token-2', expiresIn: 3_600 },
      denied('audience_not_allowed'),
    ])
    expect(broker.authority.asked).toHaveLength(3)
  })

  test('drops what was granted beyond it, though it was not asked for', async () => {
    const allow = [{ audience: 'urn:b', scopes: ['read'] }, { scopes: ['other'] }]
    const broker = await changed(policyOf({ name: 'analyst', ...account, allow }))
    expect(broker.cache.size).toBe(1)
    // Nobody named its scope: what is allowed now is asked for.
    expect(await begin(broker)).toEqual({ token: 'token-4', expiresIn: 3_600 })
    expect(broker.authority.asked.at(-1)?.scope).toEqual(['other'])
  })

  test('refuses for 10 s what was granted beyond it to whoever named a scope', async () => {
    const answer = () =>
      Promise.resolve({ accessToken: 'token-x', scope: 'read write', lifetimeSeconds: 3_600 })
    const broker = withPolicy(undefined, { through: () => ({ exchange: answer }) })
    await begin(broker, 'audience=urn:b&scope=read')
    broker.usePolicy(narrow)
    broker.gate.review(broker.workload)
    expect(broker.cache.size).toBe(0)
    expect(await begin(broker, 'audience=urn:b&scope=read')).toEqual(denied('scope_not_allowed'))
  })

  test('drops everything where it has no rule for the workload', async () => {
    const broker = await changed(nobody)
    expect(broker.cache.size).toBe(0)
    expect(await begin(broker)).toEqual(denied('workload_not_allowed'))
  })

  test.each([
    [0, denied('audience_not_allowed')],
    [9_999, denied('audience_not_allowed')],
    [10_000, { token: 'token-4', expiresIn: 3_600 }],
  ])('and back again is felt after 10 s: %i ms', async (ms, expected) => {
    const broker = await changed(narrow)
    broker.usePolicy(undefined)
    broker.gate.review(broker.workload)
    broker.clock.advance(ms)
    expect(await ask(broker, 'audience=urn:c&scope=read')).toEqual(expected)
  })

  test('while a token is on its way does not let it through', async () => {
    const broker = withPolicy(undefined)
    broker.authority.slowDown()
    const caller = begin(broker, 'audience=urn:c')
    await pass(broker.clock, 1)
    broker.usePolicy(narrow)
    broker.gate.review(broker.workload)
    broker.authority.release()
    expect(await caller).toEqual(denied('audience_not_allowed'))
    expect(broker.cache.size).toBe(0)
  })
})
