import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { FileFault } from '../../src/platform/files.ts'
import { Watched, type FileContent } from '../../src/platform/watched.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeFiles } from '../fakes/files.ts'
import { FakeLog } from '../fakes/log.ts'

const FILE = '/etc/policy.yaml'

/** The contents as one text; one with an exclamation mark is broken. */
function parse(contents: readonly FileContent[]): string {
  const text = contents.map(({ path, bytes }) => `${path}=${bytes.toString()}`).join(' ')
  if (text.includes('!')) throw new Error('it holds an exclamation mark')
  return text
}

async function open(files: FakeFiles, paths: readonly string[], everyMs?: number) {
  const clock = new FakeClock()
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const options = { what: 'policy', paths, maxBytes: 100, parse }
  const watched = await Watched.open(everyMs === undefined ? options : { ...options, everyMs }, {
    files,
    clock,
    log,
    metrics,
  })
  const heard: string[] = []
  watched.onChange((value) => heard.push(value))
  /** Lets this much time pass, and what it set off come to its end. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  const counted = async (outcome: string) => {
    const name = `lumo_reloads_total{what="policy",outcome="${outcome}"} `
    const line = (await metrics.text()).split('\n').find((text) => text.startsWith(name))
    return Number(line?.slice(name.length) ?? 0)
  }
  return { watched, log, heard, pass, counted }
}

const taken = {
  level: 'info',
  message: 'a changed file was taken up',
  fields: { what: 'policy' },
}
const refused = (reason: string) => ({
  level: 'error',
  message: 'a changed file was refused; the last good state stays',
  fields: {
    what: 'policy',
    reason,
    advice: 'mend it before the next start: the program does not start with it',
  },
})
const broken = refused('it holds an exclamation mark')
const absent = refused(`${FILE} does not exist`)

describe('a file', () => {
  test('is read at once', async () => {
    const { watched, log, heard } = await open(new FakeFiles({ [FILE]: 'a' }), [FILE])
    expect(watched.current()).toBe(`${FILE}=a`)
    expect([log.lines, heard]).toEqual([[], []])
  })

  test('that changes is taken up a second later', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, heard, pass, counted } = await open(files, [FILE])
    files.write(FILE, 'b')
    await pass(999)
    expect(watched.current()).toBe(`${FILE}=a`)
    await pass(1)
    expect(watched.current()).toBe(`${FILE}=b`)
    expect(heard).toEqual([`${FILE}=b`])
    expect(log.lines).toEqual([taken])
    expect(await counted('taken')).toBe(1)
  })

  test('is followed again and again, at the interval that was asked for', async () => {
    const files = new FakeFiles({ [FILE]: '0' })
    const { heard, pass } = await open(files, [FILE], 50)
    for (const text of ['1', '2', '3']) {
      files.write(FILE, text)
      await pass(50)
    }
    expect(heard).toEqual(['1', '2', '3'].map((text) => `${FILE}=${text}`))
  })

  test('that stays the same is not taken up', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { log, heard, pass } = await open(files, [FILE])
    files.write(FILE, 'a')
    await pass(1_000)
    expect([log.lines, heard]).toEqual([[], []])
  })

  test('that is broken is reported once, and the last good value stays', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, heard, pass, counted } = await open(files, [FILE])
    files.write(FILE, 'b!')
    for (let second = 0; second < 5; second++) await pass(1_000)
    expect(watched.current()).toBe(`${FILE}=a`)
    expect(heard).toEqual([])
    expect(log.lines).toEqual([broken])
    expect(await counted('refused')).toBe(1)
  })

  test('that is mended is taken up', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, heard, pass } = await open(files, [FILE])
    files.write(FILE, 'b!')
    await pass(1_000)
    files.write(FILE, 'c')
    await pass(1_000)
    expect(watched.current()).toBe(`${FILE}=c`)
    expect(heard).toEqual([`${FILE}=c`])
    expect(log.lines).toEqual([broken, taken])
  })

  test('that goes back to what it was is taken up, and broken again is reported again', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, pass, counted } = await open(files, [FILE])
    for (const text of ['b!', 'a', 'b!']) {
      files.write(FILE, text)
      await pass(1_000)
    }
    expect(watched.current()).toBe(`${FILE}=a`)
    expect(log.lines).toEqual([broken, taken, broken])
    expect(await counted('refused')).toBe(2)
  })

  test('that vanishes is reported once, and taken up when it comes back changed', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, heard, pass } = await open(files, [FILE])
    files.remove(FILE)
    await pass(1_000)
    await pass(1_000)
    expect(watched.current()).toBe(`${FILE}=a`)
    expect(log.lines).toEqual([absent])
    files.write(FILE, 'b')
    await pass(1_000)
    expect(heard).toEqual([`${FILE}=b`])
    expect(log.lines).toEqual([absent, taken])
  })

  test('that vanishes, comes back as it was, and vanishes again is reported again', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { log, pass, counted } = await open(files, [FILE])
    for (let round = 0; round < 2; round++) {
      files.remove(FILE)
      await pass(1_000)
      files.write(FILE, 'a')
      await pass(1_000)
    }
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([absent, absent])
    expect(await counted('refused')).toBe(2)
  })

  test.each([
    [
      'too large',
      (files: FakeFiles) => files.write(FILE, 'x'.repeat(101)),
      `${FILE} is longer than 100 bytes`,
    ],
    ['unreadable', (files: FakeFiles) => files.forbid(FILE), `${FILE} cannot be read (EACCES)`],
  ])('that becomes %s is reported, and the last good value stays', async (_, spoil, reason) => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, log, pass } = await open(files, [FILE])
    spoil(files)
    await pass(1_000)
    expect(watched.current()).toBe(`${FILE}=a`)
    expect(log.lines).toEqual([refused(reason)])
  })

  test('that is looked at no more is followed no more', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched, heard, pass } = await open(files, [FILE])
    watched.stop()
    files.write(FILE, 'b')
    await pass(10_000)
    expect(watched.current()).toBe(`${FILE}=a`)
    expect(heard).toEqual([])
  })

  test('may be looked at now', async () => {
    const files = new FakeFiles({ [FILE]: 'a' })
    const { watched } = await open(files, [FILE])
    files.write(FILE, 'b')
    await watched.look()
    expect(watched.current()).toBe(`${FILE}=b`)
  })
})

describe('a first reading', () => {
  test('of a file that is absent fails', async () => {
    await expect(open(new FakeFiles(), [FILE])).rejects.toStrictEqual(
      new FileFault('absent', `${FILE} does not exist`),
    )
  })

  test('of a file that is broken fails', async () => {
    await expect(open(new FakeFiles({ [FILE]: '!' }), [FILE])).rejects.toStrictEqual(
      new Error('it holds an exclamation mark'),
    )
  })
})

describe('a folder', () => {
  const two = () => new FakeFiles({ '/p/a': '1', '/p/b': '2', '/q': '3' })

  test('is read file by file, and together with others', async () => {
    const { watched } = await open(two(), ['/p', '/q'])
    expect(watched.current()).toBe('/p/a=1 /p/b=2 /q=3')
  })

  const changes: readonly (readonly [
    name: string,
    change: (files: FakeFiles) => void,
    value: string,
  ])[] = [
    ['one of its files changes', (files) => files.write('/p/b', '9'), '/p/a=1 /p/b=9'],
    ['a file comes', (files) => files.write('/p/c', '3'), '/p/a=1 /p/b=2 /p/c=3'],
    ['a file goes', (files) => files.remove('/p/a'), '/p/b=2'],
    [
      'a text moves from the end of a file to the next',
      (files) => {
        files.write('/p/a', '')
        files.write('/p/b', '12')
      },
      '/p/a= /p/b=12',
    ],
    [
      'a file has another name',
      (files) => {
        files.remove('/p/b')
        files.write('/p/c', '2')
      },
      '/p/a=1 /p/c=2',
    ],
  ]
  test.each(changes)('is taken up when %s', async (_, change, value) => {
    const files = two()
    const { watched, heard, pass } = await open(files, ['/p'])
    change(files)
    await pass(1_000)
    expect(watched.current()).toBe(value)
    expect(heard).toEqual([value])
  })

  test('with a broken file is refused whole', async () => {
    const files = two()
    const { watched, pass } = await open(files, ['/p'])
    files.write('/p/a', '9')
    files.write('/p/b', '!')
    await pass(1_000)
    expect(watched.current()).toBe('/p/a=1 /p/b=2')
  })
})
