import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CannotVerify } from '../../../src/verifier/refusal.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { answers } from './answers.ts'
import { AwsWorld, outcomeOf } from './world.ts'

const world = new AwsWorld(new FakeClock())
beforeAll(() => world.sts.start())
afterAll(() => world.sts.close())
beforeEach(() => {
  world.spent.clear()
})

const tables = [
  ['an identity', answers.identities],
  ['no identity', answers.strange],
  ['an error', answers.errors],
] as const

describe.each(tables)('STS answers with %s', (_, list) => {
  test.each(list)('$name: $code', async ({ status, type, headers, body, code }) => {
    const contentType = type === '' ? {} : { 'content-type': type ?? 'application/json' }
    world.sts.failing = { status: status ?? 200, headers: { ...contentType, ...headers }, body }
    const before = world.sts.seen.length
    const result = await world.judge(encodeParts(world.parts()))
    expect(outcomeOf(result)).toBe(code)
    expect(world.sts.seen.length).toBe(before + 1)
    expect(world.spent.size).toBe(code === 'accepted' ? 1 : 0)
    if (result instanceof CannotVerify) expect(result.retryAfterSeconds).toBe(5)
  })
})
