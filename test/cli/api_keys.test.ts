import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runInProcess } from '../fakes/io.ts'
import { readPage } from '../flows/pages.ts'
import { CLIENT, curl, seedAuthority } from '../flows/seed_authority.ts'
import { argumentsOf } from '../flows/seed_page.ts'
import { operator, type Operator } from './operator.ts'

const DAY_MS = 86_400_000
let running: Operator

const add = (...more: readonly string[]) =>
  running.done('api-keys', 'add', '--client', 'service_b', '--name', 'nightly report', ...more)
const field = (stdout: string, name: string) =>
  new RegExp(`^${name}: (.+)$`, 'm').exec(stdout)?.[1] ?? ''

async function statusWith(key: string): Promise<number> {
  const { status } = await running.authority.send({
    method: 'POST',
    path: '/api/v1/authz/check',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: '{"permission":"a"}',
  })
  return status
}

describe('API keys', () => {
  beforeEach(async () => {
    running = await operator()
  })

  afterEach(() => running.authority.stop())

  test('one that was added can be used at once, and is shown once', async () => {
    const stdout = await add()
    const [id, key] = [field(stdout, 'id'), field(stdout, 'api_key')]
    expect(stdout).toBe(`id: ${id}\napi_key: ${key}\n`)
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(key).toMatch(new RegExp(`^lmk_acme-corp\\.${id}\\.[A-Za-z0-9_-]{43}$`))
    expect(await statusWith(key)).toBe(200)
    const listed = await running.done('api-keys', 'list')
    expect(listed).toMatch(
      new RegExp(`^${id}  service_b  \\S+Z  does not expire  nightly report\n$`),
    )
  })

  test('two of a client are good side by side, until one is removed', async () => {
    const [old, next] = [await add(), await add()]
    const keys = [old, next].map((stdout) => field(stdout, 'api_key'))
    expect(await Promise.all(keys.map(statusWith))).toEqual([200, 200])
    expect(await running.done('api-keys', 'remove', field(old, 'id'))).toBe(
      `${field(old, 'id')} is removed\n`,
    )
    expect(await Promise.all(keys.map(statusWith))).toEqual([401, 200])
    expect(await running.done('api-keys', 'list')).not.toContain(field(old, 'id'))
  })

  test('one with days expires after them', async () => {
    const key = field(await add('--days', '1'), 'api_key')
    expect(await running.done('api-keys', 'list')).toMatch(/ {2}until \S+Z {2}nightly report\n$/)
    running.clock.advance(DAY_MS - 60_000)
    expect(await statusWith(key)).toBe(200)
    running.clock.advance(120_000)
    expect(await statusWith(key)).toBe(401)
    await running.setClockOffset(86_400)
    expect(await running.done('api-keys', 'list')).toMatch(/ {2}expired \S+Z {2}nightly report\n$/)
  })

  test('one of a client that was removed is good for nothing', async () => {
    await running.done('clients', 'add', '--id', 'leaving')
    const given = ['--client', 'leaving', '--name', 'a']
    const key = field(await running.done('api-keys', 'add', ...given), 'api_key')
    expect(await statusWith(key)).toBe(200)
    await running.done('clients', 'remove', 'leaving')
    expect(await statusWith(key)).toBe(401)
  })

  test('what was done is on record under the id, and the key nowhere', async () => {
    const stdout = await add()
    const [id, key] = [field(stdout, 'id'), field(stdout, 'api_key')]
    await running.done('api-keys', 'remove', id)
    const shown = await running.done('audit', 'show', id)
    for (const event of ['api_key.added', 'api_key.removed']) expect(shown).toContain(event)
    expect(shown).toContain('service_b')
    const secret = key.replace(/^.*\./, '')
    expect(await running.done('audit', 'tail')).not.toContain(secret)
    const database = new DatabaseSync(join(running.authority.folder, 'authority.sqlite'), {
      readOnly: true,
    })
    try {
      const rows = database.prepare('SELECT * FROM audit_rows').all()
      expect(rows.length).toBeGreaterThan(0)
      expect(JSON.stringify(rows)).not.toContain(secret)
    } finally {
      database.close()
    }
  })

  const refused: readonly (readonly [name: string, given: readonly string[], sentence: string])[] =
    [
      [
        'for nobody',
        ['--client', 'nobody', '--name', 'a'],
        'there is no client nobody: register it first, by clients add',
      ],
      [
        'for an agent',
        ['--client', 'specialist', '--name', 'a'],
        'specialist is an agent of the trust policy: it has proofs, and no API keys',
      ],
      [
        'for a client whose tokens are bound',
        ['--client', 'bound', '--name', 'a'],
        'bound has dpopBound, and an API key is bound to nothing: it has to ask with its tokens',
      ],
      [
        'for a client without tokens of its own',
        ['--client', 'spa', '--name', 'a'],
        'spa has no client_credentials, so nothing to ask with for itself: give it that grant type',
      ],
    ]

  test.each(refused)('refused: %s', async (_name, given, sentence) => {
    expect(await running.command('api-keys', 'add', ...given)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `lumo-broker: ${sentence}\n`,
    })
    expect(await running.done('api-keys', 'list')).toBe('')
  })

  test('refused: to remove what is not there, without saying it again', async () => {
    const key = field(await add(), 'api_key')
    expect((await running.command('api-keys', 'remove', key)).stderr).toBe(
      'lumo-broker: there is no such API key: api-keys list shows their ids\n',
    )
    expect(await statusWith(key)).toBe(200)
  })
})

describe('what is no command line', () => {
  const days = '--days must be a number from 1 to 3650'
  const name = '--name must have 1 to 100 characters that can be printed, in one line'
  const good = ['--client', 'service_b', '--name', 'a']
  test.each([
    [[], 'api-keys takes: add, list, remove ID'],
    [['rotate'], 'api-keys takes: add, list, remove ID'],
    [['add', '--name', 'a'], '--client must be given'],
    [['add', '--client', 'service_b'], '--name must be given'],
    [['add', '--client', 'service_b', '--name', ''], name],
    [['add', '--client', 'service_b', '--name', 'a\u001b[2J'], name],
    [['add', '--client', 'service_b', '--name', 'a\nb'], name],
    [['add', '--client', 'service_b', '--name', 'a\u202eb'], name],
    [['add', '--client', 'service_b', '--name', 'a'.repeat(101)], name],
    [['add', ...good, '--days', '0'], days],
    [['add', ...good, '--days', '1.5'], days],
    [['add', ...good, '--days', '3651'], days],
    [['add', ...good, '--days', '99999999999999999999'], days],
  ])('%j', async (given, sentence) => {
    const place = ['--config', 'lumo.json']
    expect(await runInProcess(['api-keys', ...given, ...place], { workingFolder: '/' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `lumo-broker: ${sentence}; see lumo-broker help\n`,
    })
  })
})

test('the commands of the page make a key and ask by it', async ({ onTestFinished }) => {
  const page = await readPage('docs/permissions.md')
  const textOf = (mark: string): string =>
    page.blocks.find((block) => block.mark === mark)?.text ?? ''
  const folder = await mkdtemp(join(tmpdir(), 'lumo-api-key-page-'))
  await writeFile(join(folder, 'roles.yaml'), textOf('roles'))
  const seed = await seedAuthority(folder)
  onTestFinished(async () => {
    await seed.stop()
    await rm(folder, { recursive: true })
  })
  const command = textOf('make key').replace(/^lumo-broker /, 'curl ')
  const given = argumentsOf(command, { 'lumo.yaml': 'lumo.json', YOUR_CLIENT_ID: CLIENT })
  const { stdout, stderr } = await runInProcess(given, {
    workingFolder: seed.authority.folder,
  })
  expect(stderr).toBe('')
  const filling = {
    'https://auth.example.com': seed.origin,
    YOUR_API_KEY: field(stdout, 'api_key'),
  }
  const answer = JSON.parse(await curl(argumentsOf(textOf('ask by key'), filling))) as object
  expect(answer).toEqual({ allowed: true, permission: 'document.view' })
})
