import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { share } from '../../fuzz/share.ts'
import { Stage } from './stage.ts'
import { play } from './steps.ts'

const runs = share(0.005)

test('whatever happens in whatever order, no token is served to another session, subject or agent, nor too late', async () => {
  let served = 0
  await fc.assert(
    fc.asyncProperty(play, async (steps) => {
      const stage = new Stage()
      for (const each of steps) await stage.run(each)
      served += stage.served
      stage.world.stop()
    }),
    runs,
  )
  // A play in which nothing is served shows nothing.
  expect(served).toBeGreaterThan(runs.numRuns)
})
