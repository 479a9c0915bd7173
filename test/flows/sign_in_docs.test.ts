import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { upstreamSchema } from '../../src/config/upstream.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { Browser } from '../endpoint/authorize/browser.ts'
import { PASSWORD, withPeople } from '../endpoint/authorize/people.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import type { Peopled } from '../fakes/peopled_authority.ts'
import { secret, secretHash, type Json } from '../fakes/running_authority.ts'
import { isShown, runBlock } from './block_runner.ts'
import { firstColumn, readPage, type Block } from './pages.ts'

const AUTHORIZE = '/t/acme-corp/api/v1/oauth/authorize'
const page = await readPage('docs/sign-in.md')
const client = parse(blockOf('client').text) as Json & { redirectUris: readonly string[] }
const [callback = ''] = client.redirectUris

let folder: string
let door: FrontDoor
let world: Peopled
let variables: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-sign-in-'))
  door = await frontDoor()
  world = await withPeople({
    origin: door.origin,
    clock: systemClock,
    tenant: {
      clients: [{ ...client, secretHashes: [secretHash(secret)] }],
      trustedOrigins: ['https://app.example.com'],
    },
  })
  door.leadTo(world.port)
  variables = {
    ISSUER: `${door.origin}/t/acme-corp/api/v1`,
    CLIENT_ID: 'web',
    CLIENT_SECRET: secret,
    EMAIL: 'alice@example.com',
    PASSWORD,
  }
})

afterAll(async () => {
  await world.stop()
  await door.close()
  await rm(folder, { recursive: true })
})

function blockOf(mark: string): Block {
  const block = page.blocks.find((one) => one.mark === mark)
  if (!block) throw new Error(`the page has no block ${mark}`)
  return block
}

const newBrowser = () => new Browser(world.port, door.origin)

/** A request with all that it must have. */
const asked = (more: Readonly<Record<string, string>> = {}): string => {
  const whole = { client_id: 'web', redirect_uri: callback, response_type: 'code', ...more }
  return `${AUTHORIZE}?${new URLSearchParams(whole).toString()}`
}

test('the client of the page is one', () => {
  const files = [{ path: 'clients.yaml', text: JSON.stringify({ clients: [client] }) }]
  const around = { providers: [], clients: [], users: [] }
  expect(parseClientFiles(files, around).map(({ id }) => id)).toEqual(['web'])
})

test('the other provider of the page is one, and the page lists every setting of it', () => {
  const { authority } = resolveConfig(
    {
      roles: ['authority'],
      authority: {
        origin: 'https://auth.example.com',
        store: { file: 'authority.sqlite' },
        keyEncryptionFile: 'key',
        tenants: [{ slug: 'acme-corp', ...(parse(blockOf('upstreams').text) as Json) }],
      },
    },
    {},
  )
  expect(authority?.tenants[0]?.upstreams.map(({ name }) => name)).toEqual(['corp'])
  expect(firstColumn(page, 'setting')).toEqual(Object.keys(upstreamSchema.properties))
})

test('its request can be pushed, and leads to the sign-in page', async () => {
  const printed = await runBlock(blockOf('push'), 'push', folder, variables)
  expect(isShown(shownAfter('push'), printed)).toBe(true)
  const { request_uri: uri } = JSON.parse(printed) as { request_uri: string }
  const query = new URLSearchParams({ client_id: 'web', request_uri: uri })
  const { text } = await newBrowser().get(`${AUTHORIZE}?${query.toString()}`)
  expect(text).toContain('<strong>The web shop</strong>')
})

test('its command signs somebody in, with the cookie of the page', async () => {
  const printed = await runBlock(blockOf('login'), 'login', folder, variables)
  expect(JSON.parse(printed)).toEqual(JSON.parse(shownAfter('login').text))
  const kept = await readFile(join(folder, 'cookies.txt'), 'utf8')
  const [, value = ''] = /\tlumo-acme-corp\t([\w-]{43})$/m.exec(kept) ?? []
  const browser = newBrowser()
  browser.cookies.set('lumo-acme-corp', value)
  expect((await browser.get(asked())).text).toContain('Allow access?')
})

describe('its tables', () => {
  test.each(firstColumn(page, 'refused'))('%s is refused as it says', async (name) => {
    const row = page.prose.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? ''
    const [, , error] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''))
    const { headers } = await newBrowser().get(asked({ [name]: 'x' }))
    expect(new URL(headers.location ?? '').searchParams.get('error')).toBe(error)
  })

  const good: Readonly<Record<string, string>> = {
    scope: 'openid',
    state: 'x',
    nonce: 'x',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    prompt: 'login',
    max_age: '60',
    login_hint: 'alice@example.com',
    access_type: 'offline',
    dpop_jkt: 'x',
    response_mode: 'query',
  }

  test('every parameter that they list can be sent', async () => {
    const listed = firstColumn(page, 'parameter')
    for (const name of Object.keys(good)) expect(listed).toContain(name)
    expect((await newBrowser().get(asked(good))).text).toContain('<h1>Sign in</h1>')
  })
})

/** The output that is shown after a command. */
function shownAfter(mark: string): Block {
  const block = page.blocks[page.blocks.indexOf(blockOf(mark)) + 1]
  if (!block) throw new Error(`nothing is shown after ${mark}`)
  return block
}
