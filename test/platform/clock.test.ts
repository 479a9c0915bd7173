import { expect, test } from 'vitest'
import { shiftedClock, systemClock, unixSeconds } from '../../src/platform/clock.ts'
import { FakeClock } from '../fakes/clock.ts'

test.each([
  [0, 0],
  [999, 0],
  [1_000, 1],
  [1_795_219_200_999, 1_795_219_200],
])('%i ms are %i whole seconds', (wall, seconds) => {
  expect(unixSeconds(new FakeClock(wall))).toBe(seconds)
})

test('a shifted clock is off in its wall time alone', () => {
  const clock = new FakeClock()
  const shifted = shiftedClock(clock, -90_000)
  const ran: string[] = []
  shifted.after(1_000, () => ran.push('due'))
  clock.advance(1_000)
  expect(clock.wall() - shifted.wall()).toBe(90_000)
  expect(shifted.monotonic()).toBe(clock.monotonic())
  expect(ran).toEqual(['due'])
})

test('the clock of the system runs what is due once, and nothing that was cancelled', async () => {
  const ran: string[] = []
  const cancel = systemClock.after(0, () => ran.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    systemClock.after(0, () => {
      ran.push('due')
      resolve()
    })
  })
  cancel()
  expect(ran).toEqual(['due'])
})
