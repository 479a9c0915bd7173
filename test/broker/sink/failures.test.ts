import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../../src/broker/errors.ts'
import { adviceFor } from '../../../src/broker/sink/advice.ts'
import { keptFile, path } from './kept_file.ts'

const out = new BrokerError('authority_unavailable')

const notWritten = (code: string, call: string, advice: string) => ({
  level: 'error',
  message: 'a token could not be written to its file',
  fields: { file: path, code, call, advice },
})
const full = notWritten('ENOSPC', 'write', 'The volume is full.')
const forbidden = notWritten(
  'EACCES',
  'open',
  "This user may not write to the folder: set the pod's fsGroup.",
)
const written = { level: 'info', message: 'a token file is written', fields: { file: path } }

describe('a file that cannot be written', () => {
  test('is said once, and tried again after 1 s to 60 s', async () => {
    const kept = keptFile()
    kept.files.full = true
    const sink = await kept.begin()
    const at = await kept.seconds(130, async () => (await kept.counted())[1])
    expect(at).toEqual([1, 3, 7, 15, 31, 63, 123])
    expect([sink.done(), kept.tokens.asked]).toEqual([false, 1])
    expect(kept.log.lines).toEqual([full])
  })

  test('is said again where the reason is another, and when it is mended', async () => {
    const kept = keptFile()
    kept.files.full = true
    const sink = await kept.begin()
    await kept.pass(5)
    kept.files.forbidden = true
    await kept.pass(20)
    kept.files.forbidden = false
    kept.files.full = false
    await kept.pass(60)
    expect(kept.log.lines).toEqual([full, forbidden, written])
    expect([sink.done(), kept.text()]).toEqual([true, 'canary-1'])
  })

  test('for its group names what to do', async () => {
    const kept = keptFile({ settings: { mode: 0o640, group: 3_000 }, groups: [2_000] })
    await kept.begin()
    const advice =
      "This process is not in the group: name it as the pod's fsGroup or in its supplementalGroups."
    expect(kept.log.lines).toEqual([notWritten('EPERM', 'fchown', advice)])
  })

  test('holds the old token until its end, and not longer', async () => {
    const kept = keptFile()
    kept.tokens.lifetimeSeconds = 100
    await kept.begin()
    kept.files.full = true
    await kept.pass(50)
    kept.tokens.lifetimeSeconds = 3_600
    kept.tokens.renew()
    await kept.pass(49)
    expect(kept.text()).toBe('canary-1')
    await kept.pass(1)
    expect([kept.text(), kept.log.lines]).toEqual([
      undefined,
      [
        written,
        full,
        {
          level: 'warn',
          message: 'a token file is removed',
          fields: { file: path, why: 'expired' },
        },
      ],
    ])
    kept.files.full = false
    await kept.pass(60)
    expect(kept.text()).toBe('canary-2')
  })
})

describe('a file that cannot be removed', () => {
  const notRemoved = {
    level: 'error',
    message: 'a token file could not be removed',
    fields: { ...forbidden.fields, call: 'unlink' },
  }
  const rows: readonly [why: string, failure: BrokerError, from: number][] = [
    ['expired', out, 30],
    ['refused', new BrokerError('authority_refused'), 16],
  ]
  test.each(rows)(
    'for it is %s is said once, and tried again until it is gone',
    async (why, failure, from) => {
      const kept = keptFile()
      kept.tokens.lifetimeSeconds = 30
      await kept.begin()
      kept.files.forbidden = true
      kept.tokens.fail(failure)
      const at = await kept.seconds(from + 60, async () => (await kept.counted())[1])
      expect(at).toEqual([0, 1, 3, 7, 15, 31].map((after) => from + after))
      expect(kept.log.lines.filter(({ level }) => level === 'error')).toEqual([notRemoved])
      kept.files.forbidden = false
      await kept.pass(60)
      expect(kept.text()).toBeUndefined()
      expect(kept.log.lines.at(-1)?.fields).toEqual({ file: path, why })
    },
  )

  test('is forgotten when a new token takes its place', async () => {
    const kept = keptFile()
    kept.tokens.lifetimeSeconds = 30
    await kept.begin()
    kept.files.forbidden = true
    kept.tokens.fail(out)
    // The next attempt to remove it falls into the second in which the token comes.
    await kept.pass(44)
    kept.files.forbidden = false
    kept.tokens.lifetimeSeconds = 3_600
    kept.tokens.renew()
    await kept.pass(120)
    expect([kept.text(), (await kept.counted())[2]]).toEqual(['canary-2', 0])
  })
})

test.each([
  ['EPERM', 'fchown', 'This process is not in the group'],
  ['EINVAL', 'fchown', 'This process is not in the group'],
  ['EPERM', 'rename', 'This user may not write'],
  ['EROFS', 'open', 'The volume is mounted read-only'],
  ['ENOENT', 'open', 'The folder does not exist'],
  ['EBUSY', 'rename', 'The file is a mount of its own (subPath)'],
  ['EISDIR', 'rename', 'There is a folder in place'],
  ['EDQUOT', 'write', 'The volume is full'],
  ['EINVAL', 'fsync', undefined],
  ['EIO', 'fchown', undefined],
])('the advice for %s of %s', (code, call, begins) => {
  const advice = adviceFor({ code, call })
  expect(advice?.slice(0, begins?.length)).toBe(begins)
})
