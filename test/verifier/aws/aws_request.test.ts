import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { cases } from './cases.ts'
import type { AwsCase } from './changes.ts'
import { ACCOUNT, AwsWorld, outcomeOf } from './world.ts'

const world = new AwsWorld(new FakeClock())
beforeAll(() => world.sts.start())
afterAll(() => world.sts.close())
beforeEach(() => {
  world.sts.seen.length = 0
  world.spent.clear()
})

function tokenOf({ sign = {}, change = (parts) => parts, encode = encodeParts }: AwsCase): string {
  return encode(change(world.parts({ ...sign, at: world.clock.now + (sign.at ?? 0) })))
}

describe.each(cases)('%s', (_, list) => {
  test.each(list)('$name: $code', async (one) => {
    const result = await world.judge(tokenOf(one), world.provider(one.provider))
    expect(outcomeOf(result)).toBe(one.code)
    const asked = one.code === 'accepted' || one.code === 'signature_invalid'
    expect(world.sts.seen).toHaveLength(asked ? 1 : 0)
    expect(world.spent.size).toBe(one.code === 'accepted' ? 1 : 0)
  })
})

test('the names of the cases are their own', () => {
  const names = cases.flatMap(([about, list]) => list.map(({ name }) => `${about}: ${name}`))
  expect(new Set(names).size).toBe(names.length)
})

test('a good request says who signed it', async () => {
  expect(await world.judge(encodeParts(world.parts()))).toEqual({
    kind: 'aws',
    provider: 'aws',
    issuer: 'https://sts.eu-west-1.amazonaws.com',
    subject: `arn:aws:iam::${ACCOUNT}:role/payments`,
    expiresAt: world.clock.now + 900,
    partition: 'aws',
    account: ACCOUNT,
    uniqueId: world.role.roleId,
  })
})
