import { expect, test } from 'vitest'
import { exchangeOf } from '../../fakes/running_authority.ts'
import { exchangeWorld } from './world.ts'

test('a clock that is set back by a second after the first start makes no fault of a good exchange', async () => {
  const world = await exchangeWorld()
  const form = exchangeOf(await world.proofOf('doc-analyst'))
  world.clock.jump(-1_000)
  const { status } = await world.ask(form)
  await world.stop()
  expect(status).toBe(200)
})
