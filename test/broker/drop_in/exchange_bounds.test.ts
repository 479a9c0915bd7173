import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DropInExchange } from '../../../src/broker/drop_in/exchange.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { wishFor } from '../../../src/broker/wish.ts'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { tokenTypes } from '../../../src/oauth/token_types.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'
import { settled, testBroker, type TestBroker } from '../../fakes/broker.ts'
import { agentClaims, tokenOf, userClaims } from '../../fakes/drop_in.ts'

let broker: TestBroker
let exchange: DropInExchange

beforeEach(async () => {
  broker = testBroker()
  broker.authority.tokenOf = () => tokenOf(agentClaims)
  exchange = new DropInExchange({ ...broker, exchanger: broker.authority })
  await broker.getToken.byExchange(broker.workload, broker.wishOf('') as never)
})

afterEach(() => {
  broker.authority.release()
})

interface Wanted {
  readonly audiences?: readonly string[]
  readonly scope?: readonly string[]
  readonly subject?: string
  readonly proven?: boolean
}

const run = ({
  audiences = [],
  scope,
  subject = tokenOf(userClaims),
  proven = true,
}: Wanted = {}) =>
  exchange.run(broker.workload, {
    wish: wishFor({ audiences, resources: [], scope, agent: undefined }),
    tokens: {
      subject: { token: subject, tokenType: tokenTypes.access_token },
      actor: undefined,
      requestedType: undefined,
    },
    proven,
  })

const codeOf = (result: unknown) => (result instanceof BrokerError ? result.code : 'issued')

/** Lets time pass in small steps, so that whatever waits for the next step is set up before it. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    broker.clock.advance(50)
    await settled()
  }
}

const exchanges = () => broker.authority.asked.filter(({ actor }) => actor).length
const outage = new ExchangeFailure('outage', 'authority_cannot_connect', '')

describe('at once', () => {
  test('64 of a workload, and no more', async () => {
    broker.authority.slowDown()
    const running = Array.from({ length: 64 }, () => run())
    await settled()
    expect(codeOf(await run())).toBe('overloaded')
    expect(exchanges()).toBe(64)
    broker.authority.release()
    expect((await Promise.all(running)).map(codeOf)).toEqual(running.map(() => 'issued'))
    expect(codeOf(await run())).toBe('issued')
  })

  test('one that nobody waits for any more still counts', async () => {
    broker.authority.slowDown()
    const running = Array.from({ length: 64 }, () => run())
    await pass(8_000)
    expect(new Set((await Promise.all(running)).map(codeOf))).toEqual(
      new Set(['authority_unavailable']),
    )
    expect(codeOf(await run())).toBe('overloaded')
    broker.authority.release()
    await settled()
    expect(codeOf(await run())).toBe('issued')
  })
})

describe('in time', () => {
  test('an authority that does not answer is waited for 8 s', async () => {
    broker.authority.slowDown()
    let result: unknown
    void run().then((settledWith) => (result = settledWith))
    await pass(7_950)
    expect(result).toBeUndefined()
    await pass(50)
    expect(codeOf(result)).toBe('authority_unavailable')
  })

  test('an outage that is shorter costs no request', async () => {
    broker.authority.fail(outage)
    const running = run()
    await pass(4_000)
    broker.authority.recover()
    await pass(2_000)
    expect(codeOf(await running)).toBe('issued')
    expect(exchanges()).toBeLessThan(10)
  })

  test('one that is longer ends in 503 after 8 s, and is asked no more', async () => {
    broker.authority.fail(outage)
    const running = run()
    await pass(8_000)
    const result = await running
    expect(result).toMatchObject({
      code: 'authority_unavailable',
      status: 503,
      retryAfterSeconds: 1,
    })
    const asked = exchanges()
    await pass(20_000)
    expect(exchanges()).toBe(asked)
  })

  test.each([
    [new ExchangeFailure('outage', 'authority_busy', '', 30), 'authority_busy', 30],
    [new ExchangeFailure('outage', 'authority_unavailable', '', 30), 'authority_unavailable', 30],
  ])(
    'one that says when to come back is believed: $error',
    async (failure, code, retryAfterSeconds) => {
      broker.authority.fail(failure)
      expect(await run()).toMatchObject({ code, retryAfterSeconds })
      expect(exchanges()).toBe(1)
    },
  )

  test('what the exchange took is taken off what is left', async () => {
    broker.authority.slowDown()
    const running = run()
    await pass(3_000)
    broker.authority.release()
    expect(await running).toMatchObject({ expiresIn: 3_597 })
  })
})

describe('the local policy', () => {
  const use = (allow: string, more = '') => {
    const text = `workloads:\n  - name: w\n    allow: [${allow}]\n${more}`
    broker.usePolicy(LocalPolicy.parse([{ path: 'p.yaml', bytes: Buffer.from(text) }]))
  }
  const plain = '{ scopes: ["agent:self"] }'
  const docs = '{ audience: "https://docs.example.com", scopes: ["read:documents"] }'
  const asked = { audiences: ['https://docs.example.com'], scope: ['read:documents'] }
  const grant = (claims: object) => {
    broker.authority.tokenOf = () => tokenOf({ ...agentClaims, ...claims })
  }

  test.each<[string, Wanted, string, number]>([
    ['what it allows', asked, 'issued', 1],
    [
      'another target',
      { ...asked, audiences: ['https://files.example.com'] },
      'audience_not_allowed',
      0,
    ],
    ['another scope', { ...asked, scope: ['write:documents'] }, 'scope_not_allowed', 0],
    ['without a target', { scope: ['agent:self'] }, 'issued', 1],
  ])('is asked before: %s', async (_name, wanted, code, count) => {
    use(`${plain}, ${docs}`)
    expect(codeOf(await run(wanted))).toBe(code)
    expect(exchanges()).toBe(count)
  })

  test.each<[string, readonly string[], string, readonly (string | undefined)[]]>([
    ['what it allows is asked for', ['read:documents', 'other'], 'issued', ['read:documents']],
    [
      'what the authority does not grant is no reason to refuse',
      ['other'],
      'scope_not_allowed',
      ['read:documents', undefined],
    ],
  ])('where no scope is named %s', async (_name, grants, code, scopes) => {
    use(`${plain}, ${docs}`)
    broker.authority.grants = grants
    expect(codeOf(await run({ audiences: asked.audiences }))).toBe(code)
    const shown = broker.authority.asked.filter(({ actor }) => actor)
    expect(shown.map(({ scope }) => scope?.join(' '))).toEqual(scopes)
  })

  test('narrows to what is allowed at the targets that a token brings with it', async () => {
    use(`${plain}, ${docs}`)
    broker.authority.grants = ['read:documents', 'write:documents']
    grant({ aud: 'https://docs.example.com' })
    expect(await run()).toMatchObject({ scope: 'read:documents' })
  })

  test('has no actor made for the target that it says', async () => {
    use(docs, '    defaults: { audience: "https://docs.example.com" }\n')
    broker.gate.review(broker.workload)
    expect(codeOf(await run(asked))).toBe('audience_not_allowed')
    expect(exchanges()).toBe(0)
  })

  test.each<[string, unknown, string]>([
    ['its own', 'doc-analyst', 'issued'],
    ['the issuer', agentClaims.iss, 'issued'],
    ['one that is allowed', 'https://docs.example.com', 'scope_not_allowed'],
    ['another', 'https://files.example.com', 'audience_not_allowed'],
    ['another among its own', ['doc-analyst', 'https://files.example.com'], 'audience_not_allowed'],
  ])('is asked for the target that the token brings with it: %s', async (_name, aud, code) => {
    use(`${plain}, ${docs}`)
    grant({ aud })
    expect(codeOf(await run())).toBe(code)
  })

  test('counts exchanges', async () => {
    use(plain, '    exchangesPerMinute: 2\n')
    const codes = [codeOf(await run()), codeOf(await run()), codeOf(await run())]
    expect(codes.filter((code) => code === 'exchanges_exhausted').length).toBeGreaterThan(0)
    expect(exchanges()).toBeLessThan(3)
  })

  test('counts exchanges of who showed no guard value apart: they use up nothing that the pod needs', async () => {
    use(`${plain}, ${docs}`, '    exchangesPerMinute: 3\n')
    const forged = { ...asked, subject: tokenOf(agentClaims), proven: false }
    const codes = []
    for (let count = 0; count < 5; count += 1) codes.push(codeOf(await run(forged)))
    expect(codes.at(-1)).toBe('exchanges_exhausted')
    expect(codeOf(await run(asked))).toBe('issued')
  })
})
