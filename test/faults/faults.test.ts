import { beforeAll, describe, expect, test } from 'vitest'
import { faultCases } from './cases/all.ts'
import { prepareGround } from './ground.ts'
import { titleOf } from './report.ts'
import { runCase, type Report } from './run_case.ts'

const cases = faultCases
  .filter(({ inTests }) => inTests)
  .map((given) => [titleOf(given), given] as const)

/** All at once, for most of their time is waiting; each has a world of its own. */
const running = new Map<string, Promise<Report>>()

beforeAll(async () => {
  const ground = await prepareGround()
  for (const [title, given] of cases) running.set(title, runCase(given, ground))
  await Promise.allSettled(running.values())
})

describe('the authority, or what is around the broker, fails', () => {
  test.each(cases)('%s', async (title) => {
    const report = await running.get(title)
    expect(report?.problems).toEqual([])
  })
})
