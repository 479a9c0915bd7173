import { expect, test } from 'vitest'
import { digestOf } from '../../../src/broker/drop_in/guard.ts'
import { openDropInGuard } from '../../../src/compose/drop_in.ts'
import { Opened } from '../../../src/compose/opened.ts'
import type { DropInConfig } from '../../../src/config/config.ts'
import { settled } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { testSurroundings } from '../../fakes/surroundings.ts'

const path = '/etc/lumo/guard'
const value = 'a'.repeat(43)

async function open(config: DropInConfig, text?: string) {
  const clock = new FakeClock()
  const files = new FakeFiles(text === undefined ? {} : { [path]: text })
  const opened = new Opened()
  const guard = await openDropInGuard(config, opened, { ...testSurroundings(clock), files })
  const passes = (shown: string) =>
    guard.kind === 'secret' && guard.digest().equals(digestOf(shown))
  return { clock, files, guard, opened, passes }
}

const fromFile: DropInConfig = { guard: 'file', file: path }

test('a value of the configuration', async () => {
  const { passes } = await open({ guard: 'secret', secret: value })
  expect([passes(value), passes('b'.repeat(43))]).toEqual([true, false])
})

test.each([value, `${value}\n`, ` ${value}\r\n`])('a file that holds %j', async (text) => {
  const { passes } = await open(fromFile, text)
  expect(passes(value)).toBe(true)
})

test.each([
  ['is not there', undefined],
  ['is empty', ''],
  ['holds white space', ' \n'],
  ['holds too little', 'a'.repeat(21)],
  ['holds too much', 'a'.repeat(513)],
  ['holds two lines', `${value}\n${value}`],
  ['is longer than is read', 'a'.repeat(2_000)],
])('a file that %s is said at the start, without what it holds', async (_name, text) => {
  const fault = await open(fromFile, text).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(Error)
  expect((fault as Error).message).toContain(path)
  expect((fault as Error).message).not.toContain('aaa')
})

test('a file is followed, and a broken one leaves the last good value', async () => {
  const { clock, files, passes } = await open(fromFile, value)
  const next = 'b'.repeat(43)
  for (const [text, good] of [
    [next, next],
    ['', next],
    [value, value],
  ] as const) {
    files.write(path, text)
    clock.advance(1_000)
    await settled()
    expect([passes(value), passes(next)]).toEqual([good === value, good === next])
  }
})

test.each(['caller', 'none', 'off'] as const)('%s needs nothing', async (guard) => {
  expect((await open({ guard })).guard).toEqual({ kind: guard })
})
