import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { Codes } from '../../src/endpoint/code.ts'
import { systemClock, unixSeconds } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { openScene, type Program } from '../fakes/program.ts'

const ROUNDS = 100
const AT_ONCE = 50
const CALLBACK = 'https://app.example/callback'

type Json = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly json: Json
}

/** Two processes of the program over one store, and a client that asks either. */
async function openTwo(onTestFinished: Parameters<typeof openScene>[0]) {
  const scene = await openScene(onTestFinished)
  const { at } = scene
  const [file, keyFile] = [at('authority.sqlite'), at('key-encryption')]
  const [secret, key] = [randomBytes(32).toString('base64url'), randomBytes(32)]
  await writeFile(keyFile, key.toString('base64'))
  const hash = createHash('sha256').update(secret).digest('base64url')
  const web = {
    id: 'web',
    secretHashes: [`sha256:${hash}`],
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: ['openid', 'read:reports'] }],
  }
  const limits = { clientPerMinute: 1e6, failuresPerMinute: 1e6 }
  const authority = {
    listen: '127.0.0.1:0',
    origin: 'https://auth.example',
    store: { file },
    keyEncryptionFile: keyFile,
    limits,
    tenants: [
      { slug: 'acme-corp', algorithm: 'ES256', clients: [web], users: [{ sub: 'user_a' }] },
    ],
  }
  const operations = { listen: '127.0.0.1:0' }
  await writeFile(
    at('config.json'),
    JSON.stringify({ operations, roles: ['authority'], authority }),
  )
  const programs = [1, 2].map(() => scene.start('run', '--config', 'config.json'))
  const bases = await Promise.all(programs.map(baseOf))
  const credentials = Buffer.from(`web:${secret}`).toString('base64')
  /** Of the n-th request: both processes have their turn. */
  const post = async (n: number, path: string, form: Readonly<Record<string, string>>) => {
    const response = await fetch(
      `${bases[n % bases.length] ?? ''}/t/acme-corp/api/v1/oauth/${path}`,
      {
        method: 'POST',
        headers: { authorization: `Basic ${credentials}` },
        body: new URLSearchParams(form),
      },
    )
    return { status: response.status, json: (await response.json()) as Json } satisfies Answer
  }
  return { file, secret, key, programs, post }
}

/** Where a process listens, once it says so. */
async function baseOf(program: Program): Promise<string> {
  const address = await program.until((stdout) => {
    const lines = stdout.split('\n').filter((line) => line.endsWith('}'))
    const listening = lines
      .map((line) => JSON.parse(line) as Json)
      .find(({ msg, role }) => msg === 'listening' && role === 'authority')
    return listening?.['address']
  })
  return `http://${String(address)}`
}

/** A code for a user, which is not for HTTP to give yet: written into the store beside the processes. */
async function newCode(file: string): Promise<string> {
  const store = sqliteStore(file)
  const codes = new Codes({
    tenant: 'acme-corp',
    lifetimeSeconds: 600,
    store,
    clock: systemClock,
    random: systemRandom,
  })
  const grant = {
    sub: 'user_a',
    scope: ['openid', 'read:reports'],
    targets: [],
    redirectUri: CALLBACK,
    authTime: unixSeconds(systemClock),
  }
  const code = await codes.issue('web', grant, 86_400)
  await store.close()
  return code
}

/** Every column of every row of every table, as text and as hexadecimal digits. */
function dumpOf(file: string): { readonly tables: readonly string[]; readonly text: string } {
  const database = new DatabaseSync(file, { readOnly: true })
  const listed = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  const tables = listed.map(({ name }) => String(name))
  const pieces: string[] = []
  for (const table of tables) {
    for (const row of database.prepare(`SELECT * FROM "${table}"`).all()) {
      for (const value of Object.values(row)) {
        pieces.push(value instanceof Uint8Array ? showBytes(value) : String(value))
      }
    }
  }
  database.close()
  return { tables, text: pieces.join('\n') }
}

function showBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes)
  return `${buffer.toString('hex')}\n${buffer.toString('latin1')}`
}

/** All ways in which a text, or the bytes that it stands for, could lie somewhere. */
function spellings(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, 'base64url')
  return [text, bytes.toString('hex'), bytes.toString('base64')]
    .map((one) => Buffer.from(one))
    .concat(bytes)
}

test('50 refreshes at once of one token, at two processes: one successor, 100 times', async ({
  onTestFinished,
}) => {
  const { file, secret, key, programs, post } = await openTwo(onTestFinished)
  const code = await newCode(file)
  const redeem = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK }
  const { status, json: first } = await post(0, 'token', redeem)
  expect(status).toBe(200)

  const refreshTokens = [String(first['refresh_token'])]
  const accessTokens = [String(first['access_token'])]
  for (let round = 0; round < ROUNDS; round++) {
    const token = refreshTokens.at(-1) ?? ''
    const form = { grant_type: 'refresh_token', refresh_token: token }
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) => post(n, 'token', form)),
    )
    const statuses = new Set(answers.map((answer) => answer.status))
    const successors = new Set(answers.map(({ json }) => String(json['refresh_token'])))
    expect({ round, statuses: [...statuses], successors: successors.size }).toEqual({
      round,
      statuses: [200],
      successors: 1,
    })
    const [successor = ''] = successors
    const seen = await Promise.all([
      post(round, 'introspect', { token: successor }),
      post(round + 1, 'introspect', { token }),
    ])
    expect(seen.map(({ json }) => json['active'])).toEqual([true, false])
    refreshTokens.push(successor)
    accessTokens.push(String(answers[round % AT_ONCE]?.json['access_token']))
  }
  expect(new Set(refreshTokens).size).toBe(ROUNDS + 1)

  const { tables, text } = dumpOf(file)
  const places = [
    Buffer.concat([await readFile(file), await readFile(`${file}-wal`)]),
    Buffer.from(text, 'latin1'),
  ]
  const lies = (what: string | Buffer) => places.map((place) => place.includes(what))
  expect(tables).toEqual(expect.arrayContaining(['refresh_families', 'codes', 'audit_rows']))
  // What has to be there, or else what is not there would show nothing.
  const newest = Buffer.from(refreshTokens.at(-1)?.split('.')[1] ?? '', 'base64url')
  const onRecord = createHash('sha256')
    .update(accessTokens.at(-1) ?? '')
    .digest('base64url')
  expect(lies(createHash('sha256').update(newest).digest())).toEqual([true, true])
  expect(lies(onRecord)).toEqual([true, true])

  const halves = [...refreshTokens, ...accessTokens].map((token) => token.split('.').at(-1) ?? '')
  const usable = [code, secret, key.toString('base64url'), ...halves]
  const found = usable.filter((one) => spellings(one).some((bytes) => lies(bytes).includes(true)))
  expect(found).toHaveLength(0)

  const ends = await Promise.all(programs.map((program) => program.end('SIGTERM')))
  expect(ends.map((end) => end.code)).toEqual([0, 0])
  expect(programs.map((program) => program.stderr())).toEqual(['', ''])
  const logged = programs.map((program) => program.stdout()).join('')
  expect(usable.filter((one) => logged.includes(one))).toHaveLength(0)
})
