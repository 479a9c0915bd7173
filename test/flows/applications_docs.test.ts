import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApplication, type Application } from '../../src/compose/application.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { testSurroundings } from '../fakes/surroundings.ts'
import { readPage, type Block } from './pages.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readPage('docs/applications.md')
const GUARD = 'a-guard-value-that-only-tests-know'

let folder: string
let door: FrontDoor
let authority: Peopled
let beside: Application
let onSocket: Application

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-docs-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  door = await frontDoor()
  authority = await peopledAuthority({ origin: door.origin, clock: systemClock })
  door.leadTo(authority.port)
  await writeFile(join(folder, 'proof'), await authority.proofOf('doc-analyst'))
  beside = await startBroker(['127.0.0.1:0'])
  onSocket = await startBroker([`unix:${join(folder, 'broker.sock')}`])
})

afterAll(async () => {
  await beside.stop()
  await onSocket.stop()
  await authority.stop()
  await door.close()
  await rm(folder, { recursive: true })
})

function startBroker(listen: readonly string[]): Promise<Application> {
  const config = resolveConfig(
    {
      roles: ['broker'],
      operations: { listen: '127.0.0.1:0' },
      broker: {
        listen,
        authority: { url: door.origin, tenant: 'acme-corp' },
        proof: { file: join(folder, 'proof') },
        dropIn: { secret: GUARD },
      },
    },
    {},
  )
  return startApplication(config, testSurroundings())
}

/** How a block is run: the file that it becomes, and the command. */
const runners: Readonly<Record<string, (file: string) => readonly [string, ...string[]]>> = {
  sh: (file) => ['sh', file],
  python: (file) => ['python3', file],
  js: (file) => [process.execPath, file],
  go: (file) => ['go', 'run', file],
}
const endings: Readonly<Record<string, string>> = { js: 'mjs', python: 'py' }

/** The token that a block prints: in an answer of the broker, or in a header. */
async function tokenOf({ language, text }: Block, index: number): Promise<string> {
  const file = join(folder, `block_${String(index)}.${endings[language] ?? language}`)
  const here = text
    .replaceAll('127.0.0.1:9180', beside.addresses.broker[0] ?? '')
    .replaceAll('/run/lumo/broker.sock', join(folder, 'broker.sock'))
  await writeFile(file, here)
  const [program, ...args] = runners[language]?.(file) ?? ['false']
  const { stdout } = await run(program, args, {
    cwd: folder,
    env: { ...process.env, LUMO_GUARD_SECRET: GUARD, GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
  })
  return stdout.startsWith('{')
    ? String((JSON.parse(stdout) as Readonly<Record<string, unknown>>)['access_token'])
    : stdout.trim().replace(/^Authorization: Bearer /, '')
}

/** A language that this machine does not have is said to be missing, in the name of its test. */
async function has(language: string): Promise<boolean> {
  const probes: Readonly<Record<string, readonly [string, ...string[]]>> = {
    python: ['python3', '-c', 'import requests'],
    go: ['go', 'version'],
  }
  const [program, ...args] = probes[language] ?? [process.execPath, '--version']
  return run(program, args).then(
    () => true,
    () => false,
  )
}

const blocks = page.blocks
  .filter(({ mark }) => mark === 'run')
  .map((block, index) => ({ ...block, index, first: block.text.trim().split('\n')[0] ?? '' }))

describe('every block of docs/applications.md gets a token of the agent', async () => {
  const present = new Map<string, boolean>()
  for (const { language } of blocks) present.set(language, await has(language))
  for (const block of blocks) {
    const missing = present.get(block.language) !== true
    const name = `${block.language}: ${block.first}${missing ? ' (this machine has not what it needs)' : ''}`
    test.skipIf(missing)(
      name,
      async () => {
        const token = await tokenOf(block, block.index)
        const claims = JSON.parse(
          Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
        ) as Readonly<Record<string, unknown>>
        expect(claims).toMatchObject({ sub: 'agent:doc-analyst' })
      },
      60_000,
    )
  }

  test('there are all four languages, a socket and three libraries', () => {
    const counts = ['sh', 'python', 'js', 'go'].map(
      (language) => blocks.filter((block) => block.language === language).length,
    )
    expect(counts).toEqual([3, 2, 2, 1])
  })
})

test('every code of a refusal is explained once, and no other', async () => {
  const source = await readFile(join(root, 'src/broker/errors.ts'), 'utf8')
  const codes = [...source.matchAll(/^ {2}([a-z_]+): \[/gm)].map(([, code = '']) => code)
  const table = page.prose.slice(page.prose.indexOf('## When there is no token'))
  const explained = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => code),
    )
  expect(explained.toSorted()).toEqual(codes.toSorted())
})
