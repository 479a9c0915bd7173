import { describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../../src/broker/errors.ts'
import { keptFile, path } from './kept_file.ts'

const out = new BrokerError('authority_unavailable')
const refusal = new BrokerError('authority_refused')
const leftover = `/run/lumo/.token.${'0'.repeat(32)}.tmp`

const removed = (why: string, level = 'warn') => ({
  level,
  message: 'a token file is removed',
  fields: { file: path, why },
})

describe('at the end of its token the file goes, where no other token came', () => {
  async function untilOutage() {
    const kept = keptFile()
    kept.tokens.lifetimeSeconds = 100
    await kept.begin()
    kept.tokens.fail(out)
    await kept.pass(50)
    expect(kept.text()).toBe('canary-1')
    return kept
  }

  test('on both clocks', async () => {
    const kept = await untilOutage()
    await kept.pass(49)
    expect(kept.text()).toBe('canary-1')
    await kept.pass(1)
    expect([kept.text(), await kept.counted()]).toEqual([undefined, [1, 0, 1]])
    expect(kept.log.lines).toContainEqual(removed('expired'))
  })

  test('on the wall clock, where the other stood still', async () => {
    const kept = await untilOutage()
    kept.clock.jump(48_000)
    await kept.pass(1)
    expect(kept.text()).toBe('canary-1')
    await kept.pass(1)
    expect(kept.text()).toBeUndefined()
  })

  test('on the monotonic clock, where the wall clock was set back', async () => {
    const kept = await untilOutage()
    // While the broker has the token it is the one that says what is left of it.
    kept.tokens.forget()
    kept.clock.jump(-3_600_000)
    await kept.pass(49)
    expect(kept.text()).toBe('canary-1')
    await kept.pass(1)
    expect(kept.text()).toBeUndefined()
  })

  test('while an exchange gives no answer', async () => {
    const kept = await untilOutage()
    kept.tokens.slowDown()
    kept.tokens.forget()
    await kept.pass(50)
    expect(kept.text()).toBeUndefined()
  })

  test('though the broker has a defect, which is said once', async () => {
    const kept = await untilOutage()
    kept.tokens.throws = true
    await kept.pass(50)
    expect(kept.text()).toBeUndefined()
    const said = kept.log.lines.filter(({ level }) => level === 'error')
    expect(said).toMatchObject([
      { message: 'a token file is not looked after', fields: { error: 'TypeError', file: path } },
    ])
    expect(kept.log.text()).not.toContain('canary')
  })

  test('and comes back with the next token', async () => {
    const kept = await untilOutage()
    await kept.pass(50)
    kept.tokens.recover()
    await kept.pass(60)
    expect(kept.text()).toBe('canary-2')
  })
})

describe('what an exchange is answered with', () => {
  const rows: readonly [BrokerErrorCode, 'gone' | 'kept'][] = [
    ['authority_refused', 'gone'],
    ['request_refused', 'gone'],
    ['min_ttl_too_long', 'gone'],
    ['audience_not_allowed', 'gone'],
    ['exchanges_exhausted', 'kept'],
    ['authority_unavailable', 'kept'],
    ['overloaded', 'kept'],
    ['proof_missing', 'kept'],
    ['proof_denied', 'kept'],
    ['unexpected', 'kept'],
  ]
  test.each(rows)('%s: the file is %s', async (code, outcome) => {
    const kept = keptFile()
    await kept.begin()
    await kept.pass(1)
    kept.tokens.fail(new BrokerError(code))
    kept.tokens.forget()
    await kept.pass(1)
    expect([kept.text(), await kept.counted()]).toEqual(
      outcome === 'gone' ? [undefined, [1, 0, 1]] : ['canary-1', [1, 0, 0]],
    )
    expect(kept.log.lines.filter(({ fields }) => fields['code'] === code)).toHaveLength(1)
    expect(kept.log.lines.filter(({ fields }) => fields['why'] === 'refused')).toHaveLength(
      outcome === 'gone' ? 1 : 0,
    )
  })

  test.each([
    ['authority_refused', undefined],
    ['exchanges_exhausted', 'canary-1'],
  ] as const)('another caller with %s: the file is %s in a second', async (code, left) => {
    const kept = keptFile()
    await kept.begin()
    await kept.pass(1)
    // An exchange of its own is put off by now.
    kept.tokens.fail(new BrokerError('authority_unavailable'))
    kept.tokens.forget()
    await kept.pass(30)
    kept.tokens.heard = new BrokerError(code)
    await kept.pass(1)
    expect(kept.text()).toBe(left)
  })

  test('nothing, for it breaks: the file is kept', async () => {
    const kept = keptFile()
    await kept.begin()
    await kept.pass(1)
    kept.tokens.fail(new Error('canary'))
    kept.tokens.forget()
    await kept.pass(1)
    expect(kept.text()).toBe('canary-1')
    expect(kept.log.lines.at(-1)?.fields).toEqual({ file: path, code: 'unexpected' })
    kept.tokens.recover()
    await kept.pass(1)
    expect(kept.text()).toBe('canary-2')
  })
})

describe('what an earlier run left', () => {
  test('goes an hour later, though no token ever came', async () => {
    const kept = keptFile()
    kept.files.leave(path, 'canary-0')
    kept.tokens.fail(new BrokerError('authority_unavailable'))
    await kept.begin()
    await kept.pass(3_599)
    expect(kept.text()).toBe('canary-0')
    await kept.pass(1)
    expect(kept.text()).toBeUndefined()
  })

  const rows: readonly [string, BrokerError | undefined, string | undefined][] = [
    ['is replaced by the first token', undefined, 'canary-1'],
    ['goes with the first refusal', refusal, undefined],
    ['stays through an outage', out, 'of an earlier run'],
  ]
  test.each(rows)('%s', async (_, failure, text) => {
    const kept = keptFile()
    kept.files.leave(path, 'of an earlier run')
    if (failure) kept.tokens.fail(failure)
    await kept.begin()
    expect(kept.text()).toBe(text)
  })

  test('half-written beside the file goes first of all', async () => {
    const kept = keptFile()
    kept.files.leave(leftover, '')
    kept.files.leave('/run/lumo/.token.backup.tmp', '')
    kept.tokens.fail(out)
    await kept.begin()
    expect(kept.files.paths).toEqual(['/run/lumo/.token.backup.tmp'])
  })

  test('beside the file and cannot be removed is said, and is no hindrance', async () => {
    const kept = keptFile()
    kept.files.leave(leftover, '')
    kept.files.forbidden = true
    await kept.begin()
    expect(kept.log.lines[0]).toEqual({
      level: 'warn',
      message: 'what an earlier run left beside a token file stays there',
      fields: { file: path, code: 'EACCES' },
    })
    kept.files.forbidden = false
    await kept.pass(1)
    expect(kept.text()).toBe('canary-1')
  })
})

describe('stopped', () => {
  test('it removes the file and does nothing more', async () => {
    const kept = keptFile()
    const sink = await kept.begin()
    await sink.stop()
    expect([kept.text(), await kept.counted()]).toEqual([undefined, [1, 0, 1]])
    expect(kept.log.lines.at(-1)).toEqual(removed('stopped', 'info'))
    kept.tokens.renew()
    await kept.pass(100)
    await sink.stop()
    expect([kept.text(), kept.tokens.asked]).toEqual([undefined, 1])
  })

  test('while the file is written, it removes what was written', async () => {
    const kept = keptFile()
    const sink = await kept.begin()
    kept.files.hold()
    kept.tokens.renew()
    await kept.pass(1)
    let stopped = false
    const stopping = sink.stop().then(() => {
      stopped = true
    })
    await kept.pass(1)
    expect([stopped, kept.text()]).toEqual([false, 'canary-1'])
    kept.files.release()
    await stopping
    expect([kept.files.paths, await kept.counted()]).toEqual([[], [2, 0, 1]])
  })

  test('before it looked for the first time, it asks for nothing', async () => {
    const kept = keptFile()
    kept.files.hold()
    const sink = await kept.begin()
    const stopping = sink.stop()
    kept.files.release()
    await stopping
    await kept.pass(1)
    expect(kept.tokens.asked).toBe(0)
  })

  test('during an exchange, it does not wait, and writes nothing of it', async () => {
    const kept = keptFile()
    kept.tokens.slowDown()
    const sink = await kept.begin()
    await sink.stop()
    kept.tokens.release()
    await kept.pass(1)
    expect([kept.files.paths, sink.done()]).toEqual([[], false])
  })

  test('before its first token, it removes what an earlier run left', async () => {
    const kept = keptFile()
    kept.files.leave(path, 'of an earlier run')
    kept.tokens.fail(out)
    const sink = await kept.begin()
    await sink.stop()
    expect(kept.files.paths).toEqual([])
  })

  test('it ends though the file cannot be removed', async () => {
    const kept = keptFile()
    const sink = await kept.begin()
    kept.files.forbidden = true
    await sink.stop()
    expect(kept.log.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'a token file could not be removed',
    })
  })
})
