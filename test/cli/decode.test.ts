import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runInProcess } from '../fakes/io.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-decode-'))
})

afterAll(() => rm(folder, { recursive: true }))

const SIGNATURE = 'c2lnbmF0dXJlLWNhbmFyeQ'
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenOf = (claims: unknown, header: unknown = { alg: 'RS256', kid: 'k' }) =>
  `${part(header)}.${part(claims)}.${SIGNATURE}`
const decode = (input: string, ...given: readonly string[]) =>
  runInProcess(['decode', ...given], { workingFolder: folder, input })
const refused = (sentence: string) => ({
  exitCode: 1,
  stdout: '',
  stderr: `lumo-broker: ${sentence}\n`,
})

/** Commands go by the clock of the machine. */
const now = Math.floor(Date.now() / 1000)
const note = 'Nothing was verified: neither the signature nor who made it.'

/** What it printed, and that nothing of the signature was among it. */
const shown = ({ exitCode, stdout, stderr }: Awaited<ReturnType<typeof decode>>) => {
  expect(exitCode).toBe(0)
  expect(stdout + stderr).not.toContain(SIGNATURE)
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>
}

describe('a JWT', () => {
  const claims = { iss: 'https://a.example', sub: 'x', aud: ['y'] }
  const token = tokenOf(claims)
  const whole = { verified: false, note, header: { alg: 'RS256', kid: 'k' }, claims, dates: {} }

  test.each([
    ['by itself', token],
    ['with white space around it', `\n  ${token}\r\n`],
    ['as a header', `Authorization: Bearer ${token}\n`],
    ['as a header in lower case', `authorization: bearer ${token}`],
    ['as the value of one', `Bearer ${token}`],
    ['in the answer that brought it', JSON.stringify({ access_token: token, expires_in: 5 })],
    ['in an answer of several lines', JSON.stringify({ access_token: token }, null, 2)],
  ])('%s is shown, and that nothing was verified', async (_, input) => {
    expect(shown(await decode(input))).toEqual(whole)
    expect(shown(await decode(input, '-'))).toEqual(whole)
    await writeFile(join(folder, 'token'), input)
    expect(shown(await decode('', 'token'))).toEqual(whole)
  })

  test('has its dates beside what they mean', async () => {
    const dated = {
      iat: 0,
      nbf: 951_782_400,
      exp: 32_503_680_000,
      auth_time: 951_782_399.5,
      updated_at: 'yesterday',
      'kubernetes.io': { warnafter: 1_000_000_000 },
    }
    const { dates } = shown(await decode(tokenOf(dated)))
    const said = Object.entries(dates as Readonly<Record<string, string>>)
    expect(said.map(([name, text]) => `${name} ${text.replace(/\d+ d( \d+ h)?/, 'N')}`)).toEqual([
      'iat 1970-01-01T00:00:00Z, N ago',
      'nbf 2000-02-29T00:00:00Z, N ago',
      'exp 3000-01-01T00:00:00Z, in N',
      'auth_time 2000-02-28T23:59:59Z, N ago',
      'kubernetes.io.warnafter 2001-09-09T01:46:40Z, N ago',
    ])
  })

  test('says how long is left', async () => {
    const { dates } = shown(await decode(tokenOf({ exp: now + 3_665 })))
    expect(dates).toEqual({ exp: expect.stringMatching(/, in 1 h( 1 min)?$/) as string })
  })

  test.each([[1e300], [-1e300], [9e12], [null], [true]])(
    'with %j for a date has none there',
    async (exp) => {
      expect(shown(await decode(tokenOf({ exp })))['dates']).toEqual({})
    },
  )

  test.each([
    [
      'has expired',
      { exp: now - 3_600 },
      /^lumo-broker: warning: it expired (59 min|1 h).* ago\n$/,
    ],
    ['has not', { exp: now + 3_600 }, /^$/],
    ['never does', {}, /^$/],
  ])('that %s', async (_, claims, warning) => {
    const ran = await decode(tokenOf(claims))
    shown(ran)
    expect(ran.stderr).toMatch(warning)
  })

  test('cannot write to the terminal what is no text', async () => {
    const sub = '\u001b[2J\u009b31m\u202eö\ud83d\ude00'
    const ran = await decode(tokenOf({ sub }))
    expect(shown(ran)['claims']).toEqual({ sub })
    expect(ran.stdout).toMatch(/^[\n\x20-\x7e]+$/)
  })
})

describe('what is no JWT is one sentence, and nothing of it is repeated', () => {
  const noJws =
    'it is no JWS: that is three parts of base64url with dots between them, the first two JSON objects'
  test.each([
    ['nothing', '', 'there is nothing to decode'],
    ['white space', ' \n', 'there is nothing to decode'],
    ['an opaque token', 'canary', noJws],
    ['two parts', `${part({ alg: 'none' })}.${part({})}`, noJws],
    ['an unsigned one', `${part({ alg: 'none' })}.${part({})}.`, noJws],
    ['a list of claims', `${part({})}.${part([])}.${SIGNATURE}`, noJws],
    ['padding', `${part({})}=.${part({})}.${SIGNATURE}`, noJws],
    [
      'a member that stands twice',
      `${part({})}.${Buffer.from('{"a":1,"a":2}').toString('base64url')}.${SIGNATURE}`,
      noJws,
    ],
    ['two tokens', `${tokenOf({})} ${tokenOf({})}`, noJws],
    ['a Basic header', 'Authorization: Basic Y2FuYXJ5', noJws],
    [
      'an encrypted one',
      `${part({ alg: 'dir', enc: 'A256GCM' })}..aXY.Y2lwaGVy.dGFn`,
      'it is encrypted (a JWE): only whoever has the key can read it',
    ],
    ['an answer without a token', '{"error":"canary"}', 'the JSON has no access_token'],
    ['half an answer', '{"access_token":"canary', 'the JSON cannot be read: not JSON'],
    ['what is too long', tokenOf({ a: 'a'.repeat(17_000) }), 'it is too long for a token'],
  ])('%s', async (_, input, sentence) => {
    expect(await decode(input)).toEqual(refused(sentence))
  })

  test('a file that is not there', async () => {
    expect(await decode('', 'none')).toEqual(refused(`${join(folder, 'none')} does not exist`))
  })

  test.each([
    ['a token', tokenOf({})],
    ['half a token', 'eyJhbGciOiJSUzI1NiJ9'],
    ['a header', `Authorization: Bearer ${tokenOf({})}`],
    ['the value of one', `Bearer ${tokenOf({})}`],
    ['the answer that brought it', JSON.stringify({ access_token: tokenOf({}) })],
  ])('%s as an argument', async (_, argument) => {
    expect(await decode('', argument)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'lumo-broker: pass a token on standard input, never as an argument; see lumo-broker help\n',
    })
  })

  test('a file whose name begins like a token is read', async () => {
    await writeFile(join(folder, 'eyJ'), tokenOf({}))
    expect(shown(await decode('', './eyJ'))).toMatchObject({ verified: false })
  })

  test.each([[['a', 'b']], [['--file']]])('%j is no command line', async (given) => {
    expect(await decode('', ...given)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'lumo-broker: decode takes one FILE, or standard input; see lumo-broker help\n',
    })
  })
})
