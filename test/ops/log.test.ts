import { describe, expect, test } from 'vitest'
import { openLog, type LogOptions } from '../../src/ops/log.ts'

async function start(options: Partial<LogOptions> = {}, isTTY = false) {
  const written: string[] = []
  const log = await openLog(
    { level: 'debug', format: 'auto', ...options },
    {
      isTTY,
      write: (text) => {
        written.push(text)
      },
    },
  )
  return { log, written }
}

describe('JSON', () => {
  test.each(['debug', 'info', 'warn', 'error'] as const)('%s: one object a line', async (level) => {
    const { log, written } = await start()
    log[level]('listening', { role: 'broker', port: 9180, ready: true, absent: undefined })
    const [line = '', ...more] = written
    expect(more).toEqual([])
    expect(line.endsWith('}\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({
      level,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      role: 'broker',
      port: 9180,
      ready: true,
      msg: 'listening',
    })
  })

  test('fields are optional', async () => {
    const { log, written } = await start()
    log.info('stopping')
    expect(Object.keys(JSON.parse(written[0] ?? '') as object)).toEqual(['level', 'time', 'msg'])
  })

  test('a line feed in a value begins no new line', async () => {
    const { log, written } = await start()
    log.warn('odd', { reason: 'one\n{"level":"error"}\r\u2028two' })
    expect(written.join('').trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      reason: 'one\n{"level":"error"}\r\u2028two',
    })
  })
})

describe('the level', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const
  test.each(levels)('%s keeps what is below it back', async (level) => {
    const { log, written } = await start({ level })
    for (const each of levels) log[each]('message')
    const seen = written.map((line) => (JSON.parse(line) as { level: string }).level)
    expect(seen).toEqual(levels.slice(levels.indexOf(level)))
  })
})

describe('the format', () => {
  const pretty = /^\[\d\d:\d\d:\d\d\] INFO: listening \{"role":"broker"\}\n$/
  const json = /^\{"level":"info","time":"[^"]+","role":"broker","msg":"listening"\}\n$/
  const escape = '\u001B'
  const coloured = new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\] ${escape}\\[32mINFO${escape}\\[39m: `)
  test.each([
    { format: 'auto', isTTY: true, expected: coloured },
    { format: 'auto', isTTY: false, expected: json },
    { format: 'json', isTTY: true, expected: json },
    { format: 'json', isTTY: false, expected: json },
    { format: 'pretty', isTTY: true, expected: coloured },
    { format: 'pretty', isTTY: false, expected: pretty },
  ] as const)('$format, on a terminal: $isTTY', async ({ format, isTTY, expected }) => {
    const { log, written } = await start({ format }, isTTY)
    log.info('listening', { role: 'broker' })
    expect(written.join('')).toMatch(expected)
  })
})
