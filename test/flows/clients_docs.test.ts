import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { clientAuthMethods, clientSchema } from '../../src/config/client.ts'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { grantTypes } from '../../src/oauth/grant_types.ts'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { basic, secret, secretHash } from '../fakes/running_authority.ts'
import { operate } from './operating.ts'
import { firstColumn, readPage } from './pages.ts'

const page = await readPage('docs/clients.md')
const blocksOf = (mark: string) => page.blocks.filter((block) => block.mark === mark)

let authority: Peopled

beforeAll(async () => {
  authority = await peopledAuthority({ clock: new FakeClock(Date.now()) })
})

afterAll(() => authority.stop())

test('the clients of the page are some, together in one file', () => {
  const clients = blocksOf('client').map(({ text }): unknown => parse(text))
  const files = [{ path: 'clients.yaml', text: JSON.stringify({ clients }) }]
  const around = { providers: [], clients: [], users: [] }
  expect(parseClientFiles(files, around).map(({ id }) => id)).toEqual(['web', 'mobile', 'docs-api'])
})

test('it lists every setting, every method and every grant', () => {
  expect(firstColumn(page, 'setting')).toEqual(Object.keys(clientSchema.properties).toSorted(as))
  expect(firstColumn(page, 'method')).toEqual([...clientAuthMethods])
  for (const grant of Object.keys(grantTypes)) expect(page.code).toContain(grant)
})

/** In the order of the page, whatever the schema has. */
function as(one: string, other: string): number {
  const shown = firstColumn(page, 'setting')
  return shown.indexOf(one) - shown.indexOf(other)
}

test('its commands add a client, replace its secret without a gap, and remove it', async () => {
  const asked = async (given: string) =>
    (await authority.post({ grant_type: 'client_credentials' }, basic('reports', given))).status
  const secrets: string[] = []
  const seen: (readonly number[])[] = []
  for (const { text } of blocksOf('operate')) {
    for (const { stdout } of await operate(text, authority.folder)) {
      const [, shown] = /^client_secret: (.+)$/m.exec(stdout) ?? []
      if (shown !== undefined) secrets.push(shown)
    }
    seen.push(await Promise.all(secrets.map(asked)))
  }
  expect(seen).toEqual([[200], [200, 200], [401, 401]])
})

test('its command makes the hash of a secret', async () => {
  const [block] = blocksOf('hash')
  const env = { PATH: process.env['PATH'], CLIENT_SECRET: secret }
  const { stdout } = await promisify(execFile)('sh', ['-c', block?.text ?? ''], { env })
  expect(stdout.trim()).toBe(secretHash(secret))
})
