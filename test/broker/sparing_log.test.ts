import { expect, test } from 'vitest'
import { sparingLog } from '../../src/broker/sparing_log.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeLog } from '../fakes/log.ts'

function flooded(): {
  readonly log: FakeLog
  readonly clock: FakeClock
  readonly warn: (reason: string) => void
} {
  const [log, clock] = [new FakeLog(), new FakeClock()]
  const sparing = sparingLog(log, clock)
  return {
    log,
    clock,
    warn: (reason) => {
      sparing.warn('a caller was refused', { reason })
    },
  }
}

test('of a flood of one kind twenty lines are written, and of another kind all that come', () => {
  const { log, warn } = flooded()
  for (let count = 0; count < 1_000; count++) warn('expired')
  warn('missing')
  expect(log.lines.filter(({ fields }) => fields['reason'] === 'expired')).toHaveLength(20)
  expect(log.lines.filter(({ fields }) => fields['reason'] === 'missing')).toHaveLength(1)
})

test('the next line tells how many were left out, once', () => {
  const { log, clock, warn } = flooded()
  for (let count = 0; count < 25; count++) warn('expired')
  clock.advance(2_000)
  warn('expired')
  warn('expired')
  expect(log.lines.slice(-2).map(({ fields }) => fields['leftOut'])).toEqual([5, undefined])
})

test('what is no warning passes, however often', () => {
  const log = new FakeLog()
  const sparing = sparingLog(log, new FakeClock())
  for (let count = 0; count < 50; count++) {
    sparing.info('listening')
    sparing.debug('looked')
  }
  expect(log.lines).toHaveLength(100)
})

test('the kinds that are remembered are bounded: the one of long ago begins anew', () => {
  const { log, warn } = flooded()
  for (let count = 0; count < 30; count++) warn('expired')
  for (let count = 0; count < 256; count++) warn(`reason-${String(count)}`)
  warn('expired')
  expect(log.lines).toHaveLength(20 + 256 + 1)
})
