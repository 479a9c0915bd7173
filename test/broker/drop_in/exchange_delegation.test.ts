import { beforeEach, expect, test } from 'vitest'
import { DropInExchange } from '../../../src/broker/drop_in/exchange.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { wishFor } from '../../../src/broker/wish.ts'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { tokenTypes } from '../../../src/oauth/token_types.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'
import { testBroker, type TestBroker } from '../../fakes/broker.ts'
import { agentClaims, tokenOf, userClaims } from '../../fakes/drop_in.ts'

let broker: TestBroker
let exchange: DropInExchange

beforeEach(async () => {
  broker = testBroker()
  broker.authority.tokenOf = () => tokenOf(agentClaims)
  exchange = new DropInExchange({ ...broker, exchanger: broker.authority })
  await broker.getToken.byExchange(broker.workload, broker.wishOf('') as never)
})

const use = (delegation: string, more = '') => {
  const text = `workloads:\n  - { name: w, delegation: { ${delegation} }${more} }\n`
  broker.usePolicy(LocalPolicy.parse([{ path: 'p.yaml', bytes: Buffer.from(text) }]))
}

interface Shown {
  readonly claims: object
  /** The workload shows its own token as actor. */
  readonly withActor?: boolean
  readonly proven?: boolean
}

const shown = (claims: object) => ({
  token: tokenOf({ ...claims }),
  tokenType: tokenTypes.access_token,
})

async function run({ claims, withActor = false, proven = true }: Shown): Promise<string> {
  const result = await exchange.run(broker.workload, {
    wish: wishFor({ audiences: [], resources: [], scope: undefined, agent: undefined }),
    tokens: {
      subject: shown(claims),
      actor: withActor ? shown(agentClaims) : undefined,
      requestedType: undefined,
    },
    proven,
  })
  return result instanceof BrokerError ? result.code : 'issued'
}

const user = (sub: string) => ({ ...userClaims, sub })
/** A token of the user, with so many actors one in the other; the workload itself is none. */
const acted = (depth: number): object =>
  Array.from({ length: depth }).reduce<object>(
    (claims) => ({ ...userClaims, act: { sub: 'agent:x', ...inner(claims) } }),
    userClaims,
  )
const inner = (claims: object) => ('act' in claims ? { act: claims.act } : {})
/** One that the workload holds for the user already. */
const held = (depth: number) => ({
  ...userClaims,
  client_id: 'doc-analyst',
  act: { sub: 'agent:doc-analyst', ...inner(acted(depth - 1)) },
})

const [deep, never] = ['delegation_too_deep', 'delegation_not_allowed_here']
const rows: readonly (readonly [string, string, Shown, string])[] = [
  ["a user's token", 'maxDepth: 1', { claims: userClaims }, 'issued'],
  ['one that another acts with', 'maxDepth: 1', { claims: acted(1) }, deep],
  ['as deep as may be', 'maxDepth: 4', { claims: acted(3) }, 'issued'],
  ['one deeper', 'maxDepth: 4', { claims: acted(4) }, deep],
  ['its own token shown as actor', 'maxDepth: 1', { claims: acted(1), withActor: true }, deep],
  ['as deep, with its own', 'maxDepth: 2', { claims: acted(1), withActor: true }, 'issued'],
  ['what it holds, narrowed', 'maxDepth: 2', { claims: held(2) }, 'issued'],
  ['what it holds and should not', 'maxDepth: 1', { claims: held(2) }, deep],
  ['what it holds, acted with again', 'maxDepth: 2', { claims: held(2), withActor: true }, deep],
  ['for nobody', 'maxDepth: 0', { claims: userClaims }, never],
  ['for nobody, with its own token', 'maxDepth: 0', { claims: userClaims, withActor: true }, never],
  ['for nobody, what it holds', 'maxDepth: 0', { claims: held(1) }, never],
  ['what it holds, unproven', 'maxDepth: 0', { claims: held(1), proven: false }, never],
  ['itself', 'maxDepth: 0', { claims: agentClaims }, 'issued'],
  ['itself as its own actor', 'maxDepth: 0', { claims: agentClaims, withActor: true }, never],
]

test.each(rows)('the depth is bounded: %s, %s', async (_name, rule, asked, expected) => {
  use(rule)
  const before = broker.authority.asked.length
  expect(await run(asked)).toBe(expected)
  expect(broker.authority.asked.length - before).toBe(expected === 'issued' ? 1 : 0)
})

test.each([false, true])(
  'subjects are bounded, with its own token shown: %s',
  async (withActor) => {
    use('subjects: 2')
    const codes = []
    for (const sub of ['a', 'b', 'c', 'a']) codes.push(await run({ claims: user(sub), withActor }))
    expect(codes).toEqual(['issued', 'issued', 'subjects_exhausted', 'issued'])
    broker.clock.advance(60_000)
    expect(await run({ claims: user('c'), withActor })).toBe('issued')
  },
)

test('the same sub of two tokens is one subject, and exchanges for it are bounded', async () => {
  use('exchangesPerMinute: 2')
  const codes = []
  for (const claims of [user('a'), { ...user('a'), jti: '2' }, held(1), user('a'), user('b')]) {
    codes.push(await run({ claims: { ...claims, ...('act' in claims && { sub: 'a' }) } }))
  }
  const none = 'subject_exchanges_exhausted'
  expect(codes).toEqual(['issued', 'issued', none, none, 'issued'])
})

test('its own token is nobody else: it counts as no subject', async () => {
  use('subjects: 1, exchangesPerMinute: 1')
  expect(await run({ claims: user('a') })).toBe('issued')
  expect(await run({ claims: agentClaims })).toBe('issued')
  expect(await run({ claims: agentClaims })).toBe('issued')
})

test('what the authority refuses counts: that is what trying out looks like', async () => {
  use('subjects: 2')
  expect(await run({ claims: user('a') })).toBe('issued')
  broker.authority.fail(new ExchangeFailure('refused', 'access_denied', ''))
  const codes = []
  for (const sub of ['b', 'c', 'd']) codes.push(await run({ claims: user(sub) }))
  expect(codes.slice(1)).toEqual(['subjects_exhausted', 'subjects_exhausted'])
})

test('whoever showed no guard value uses up nothing of what the pod needs', async () => {
  use('subjects: 1, exchangesPerMinute: 2', ', exchangesPerMinute: 10')
  const forged = (sub: string): Shown => ({ claims: { ...held(1), sub }, proven: false })
  const codes = []
  for (const sub of ['a', 'b', 'a', 'a']) codes.push(await run(forged(sub)))
  expect(codes).toEqual(['issued', 'subjects_exhausted', 'issued', 'subject_exchanges_exhausted'])
  expect(await run({ claims: user('c') })).toBe('issued')
})
