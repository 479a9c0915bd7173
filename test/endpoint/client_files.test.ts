import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { runInProcess } from '../fakes/io.ts'
import {
  basic,
  client,
  newFolder,
  runAuthority,
  secret,
  standardPolicy,
  standardTenants,
  type TestAuthority,
} from '../fakes/running_authority.ts'

const clock = new FakeClock()
let folder: string
let world: TestAuthority
const at = (name: string): string => join(folder, 'clients', name)
const write = (name: string, ...ids: readonly string[]): Promise<void> =>
  writeFile(at(name), JSON.stringify({ clients: ids.map((id) => client(id)) }))

beforeAll(async () => {
  folder = await newFolder()
  await mkdir(join(folder, 'clients'))
  await write('first.yaml', 'of-first')
  await writeFile(at('notes.txt'), 'no client file')
  world = await runAuthority({
    folder,
    clock,
    tenants: async (needs) => {
      const [acme, ...others] = await standardTenants(needs)
      return [{ ...acme, clientFiles: join(folder, 'clients') }, ...others]
    },
  })
})

afterAll(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

const status = async (id: string): Promise<number> =>
  (await world.post({ grant_type: 'client_credentials' }, basic(id, secret))).status

/** Until the running authority has looked at its files. */
async function untilStatus(id: string, expected: number): Promise<void> {
  clock.advance(1_000)
  await expect.poll(() => status(id), { timeout: 10_000 }).toBe(expected)
}

test('a client of a file is a client', async () => {
  expect([await status('of-first'), await status('reporter'), await status('nobody')]).toEqual([
    200, 200, 401,
  ])
})

test('one that is added while the authority runs is served, and one that is taken out is gone', async () => {
  await write('second.yaml', 'of-second')
  await untilStatus('of-second', 200)
  await rm(at('second.yaml'))
  await untilStatus('of-second', 401)
  expect(await status('of-first')).toBe(200)
})

test('a file with a fault changes nothing, and is told of', async () => {
  await write('second.yaml', 'of-first', 'newer')
  clock.advance(1_000)
  await expect
    .poll(() => world.log.lines.at(-1)?.fields['reason'], { timeout: 10_000 })
    .toMatch(/second\.yaml: clients\[0\]\.id: another client or a user has this id/)
  expect([await status('of-first'), await status('newer')]).toEqual([200, 401])
  await rm(at('second.yaml'))
})

test('one whose id an agent of the policy has is out of use', async () => {
  await write('second.yaml', 'newcomer')
  await untilStatus('newcomer', 200)
  const agent =
    '  - name: newcomer\n    proof: { provider: prod, namespace: research, serviceAccount: newcomer }\n'
  await writeFile(join(folder, 'policy.yaml'), standardPolicy + agent)
  await untilStatus('newcomer', 401)
  await writeFile(join(folder, 'policy.yaml'), standardPolicy)
  await untilStatus('newcomer', 200)
  await rm(at('second.yaml'))
})

test('commands know it', async () => {
  const config = ['--config', join(folder, 'lumo.json')]
  const listed = await runInProcess(['clients', 'list', ...config, '--tenant', 'acme-corp'], {
    workingFolder: folder,
  })
  expect(listed.stdout).toMatch(/^of-first {2}.*configuration$/m)
  const added = await runInProcess(
    ['clients', 'add', ...config, '--tenant', 'acme-corp', '--id', 'of-first'],
    { workingFolder: folder },
  )
  expect([added.exitCode, added.stderr]).toEqual([
    1,
    expect.stringContaining('of-first is taken by a client of the configuration'),
  ])
})

test('config check reads the files', async () => {
  const check = () =>
    runInProcess(['config', 'check', join(folder, 'lumo.json')], { workingFolder: folder })
  expect(await check()).toMatchObject({ exitCode: 0 })
  await writeFile(at('second.yaml'), 'clients: [{ id: one }]')
  const { exitCode, stderr } = await check()
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('clients[0].secretHashes')])
  await rm(at('second.yaml'))
})
