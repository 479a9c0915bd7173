import { describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../../src/broker/errors.ts'
import type { SinkSettings } from '../../../src/broker/sink/file_sink.ts'
import { keptFile, path } from './kept_file.ts'

const out = new BrokerError('authority_unavailable')
const refusal = new BrokerError('authority_refused')

describe('a token', () => {
  test('is fetched and written at once', async () => {
    const kept = keptFile({ settings: { mode: 0o640, group: 2_000 }, groups: [2_000] })
    const sink = await kept.begin()
    expect(kept.files.at(path)).toEqual({ text: 'canary-1', mode: 0o640, group: 2_000 })
    expect([sink.done(), kept.tokens.asked]).toEqual([true, 1])
  })

  test('that the broker has is written without an exchange', async () => {
    const kept = keptFile()
    kept.tokens.renew()
    await kept.begin()
    expect([kept.text(), kept.tokens.asked]).toEqual(['canary-1', 0])
  })

  test('that is the same is written once', async () => {
    const kept = keptFile()
    await kept.begin()
    await kept.pass(600)
    expect([await kept.counted(), kept.tokens.asked]).toEqual([[1, 0, 0], 1])
  })

  test('whose file somebody removed is written again within a second', async () => {
    const kept = keptFile()
    await kept.begin()
    kept.files.take(path)
    await kept.pass(1)
    expect([kept.text(), kept.tokens.asked]).toEqual(['canary-1', 1])
  })

  test('that is another is written within a second', async () => {
    const kept = keptFile()
    await kept.begin()
    kept.tokens.renew()
    await kept.pass(1)
    expect([kept.text(), await kept.counted()]).toEqual(['canary-2', [2, 0, 0]])
  })

  test('is fetched anew as soon as the broker has none any more', async () => {
    const kept = keptFile()
    await kept.begin()
    await kept.pass(1)
    kept.tokens.forget()
    await kept.pass(1)
    expect(kept.text()).toBe('canary-2')
  })

  test('too short-lived for the broker to keep is fetched at half of its life', async () => {
    const kept = keptFile()
    kept.tokens.lifetimeSeconds = 10
    await kept.begin()
    await kept.pass(4)
    expect(kept.text()).toBe('canary-1')
    await kept.pass(1)
    expect(kept.text()).toBe('canary-2')
    await kept.pass(60)
    expect(kept.tokens.asked).toBe(14)
  })

  test('lies there as long as the broker has it, though the wall clock was wrong when it was written', async () => {
    const kept = keptFile()
    kept.tokens.renew()
    kept.clock.jump(-3_000_000)
    await kept.begin()
    kept.clock.jump(3_000_000)
    await kept.pass(700)
    expect([kept.text(), await kept.counted()]).toEqual(['canary-1', [1, 0, 0]])
  })

  test('stands in no line of the log', async () => {
    const kept = keptFile()
    const sink = await kept.begin()
    kept.files.full = true
    kept.tokens.renew()
    await kept.pass(10)
    kept.tokens.fail(refusal)
    kept.tokens.forget()
    await kept.pass(10)
    await sink.stop()
    expect(kept.log.lines.length).toBeGreaterThan(2)
    expect(kept.log.text()).not.toContain('canary')
  })
})

describe('the format', () => {
  const expiresAt = Date.UTC(2026, 10, 21) / 1000 + 3_600
  const formats: readonly [SinkSettings['format'], string][] = [
    ['token', 'canary-1'],
    ['header', 'Authorization: Bearer canary-1\n'],
    [
      'json',
      `{"access_token":"canary-1","token_type":"Bearer","expires_at":${String(expiresAt)},"scope":"documents:read"}`,
    ],
  ]
  test.each(formats)('%s', async (format, text) => {
    const kept = keptFile({ settings: { format } })
    await kept.begin()
    expect(kept.text()).toBe(text)
  })
})

describe('without a token', () => {
  /** The seconds at which it asked for a token. */
  async function asksWithin(seconds: number, failure: BrokerError, fraction: number) {
    const kept = keptFile({ fraction })
    kept.tokens.fail(failure)
    await kept.begin()
    return kept.seconds(seconds, () => kept.tokens.asked)
  }
  const hint = (retryAfterSeconds: number) =>
    new BrokerError('authority_unavailable', { retryAfterSeconds })

  const rows: readonly [string, BrokerError, fraction: number, at: readonly number[]][] = [
    ['after 1 s to 60 s', out, 1, [1, 3, 7, 15, 31, 63, 123, 183]],
    ['after a random part of it', out, 0.5, [1, 2, 4, 8, 16, 32, 62, 92, 122, 152, 182]],
    ['after a refusal as after a failure', refusal, 1, [1, 3, 7, 15, 31, 63, 123, 183]],
    ['not before the authority said', hint(40), 0, [40, 80, 120, 160]],
    ['after a minute whatever the authority said', hint(86_400), 1, [60, 120, 180]],
  ]
  test.each(rows)('it asks again %s', async (_, failure, fraction, at) => {
    expect(await asksWithin(190, failure, fraction)).toEqual(at)
  })

  test('but the one that it has, it asks at growing pauses, and leaves the file alone', async () => {
    const kept = keptFile()
    kept.tokens.lifetimeSeconds = 100
    await kept.begin()
    kept.tokens.fail(out)
    await kept.pass(85)
    const asked = await kept.seconds(14, () => kept.tokens.asked)
    expect([asked, await kept.counted()]).toEqual([
      [1, 2, 4, 8],
      [1, 0, 0],
    ])
  })

  test('it asks one thing at a time', async () => {
    const kept = keptFile()
    kept.tokens.slowDown()
    await kept.begin()
    await kept.pass(30)
    kept.tokens.release()
    await kept.pass(1)
    expect([kept.tokens.asked, kept.text()]).toEqual([1, 'canary-1'])
  })

  test('it asks at short pauses again once a token was there', async () => {
    const kept = keptFile()
    kept.tokens.fail(out)
    await kept.begin()
    await kept.pass(70)
    kept.tokens.renew()
    await kept.pass(1)
    kept.tokens.forget()
    const before = kept.tokens.asked
    await kept.pass(4)
    expect(kept.tokens.asked - before).toBe(3)
  })

  test('it is done when the first one comes', async () => {
    const kept = keptFile()
    kept.tokens.fail(out)
    const sink = await kept.begin()
    expect([sink.done(), kept.text()]).toEqual([false, undefined])
    kept.tokens.recover()
    await kept.pass(1)
    expect([sink.done(), kept.text()]).toEqual([true, 'canary-1'])
  })

  test('it says why, once a reason', async () => {
    const kept = keptFile()
    kept.tokens.fail(out)
    await kept.begin()
    await kept.pass(30)
    kept.tokens.fail(refusal)
    await kept.pass(100)
    const line = (code: BrokerErrorCode) => ({
      level: 'warn',
      message: 'there is no token for a file',
      fields: { file: path, code },
    })
    expect(kept.log.lines).toEqual([line('authority_unavailable'), line('authority_refused')])
  })
})
