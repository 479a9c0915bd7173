import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock, unixSeconds } from '../../src/platform/clock.ts'
import { DpopKey } from '../fakes/dpop.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { docs, files, TOKEN_PATH } from '../fakes/running_authority.ts'
import { prepare } from './block_runner.ts'
import { readPage } from './pages.ts'

type WhoAsks = (authorization?: string) => Promise<unknown>

const HOUR_MS = 3_600_000
const page = await readPage('docs/apis.md')

let folder: string
let door: FrontDoor
let authority: Peopled
let whoAsks: WhoAsks

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-api-'))
  await prepare(folder)
  door = await frontDoor()
  authority = await peopledAuthority({
    origin: door.origin,
    clock: systemClock,
    // As the chart has it.
    tenant: { algorithm: 'RS256' },
  })
  door.leadTo(authority.port)
  const shown = page.blocks.find(({ mark }) => mark === 'run')
  const file = join(folder, 'api.mjs')
  await writeFile(file, (shown?.text ?? '').replaceAll('https://auth.example.com', door.origin))
  ;({ whoAsks } = (await import(pathToFileURL(file).href)) as { readonly whoAsks: WhoAsks })
})

afterEach(() => {
  vi.useRealTimers()
})

afterAll(async () => {
  await authority.stop()
  await door.close()
  await rm(folder, { recursive: true })
})

const ofAgent = (audience: string): Promise<string> =>
  authority.agentToken('doc-analyst', { audience })

async function idToken(): Promise<string> {
  const { id_token: token } = await authority.signIn({ scope: 'openid' })
  return String(token)
}

/** A token of the client `web` that is good only together with a key. */
async function boundToken(): Promise<string> {
  const key = new DpopKey('ES256', () => unixSeconds(systemClock))
  const wish = { grant_type: 'client_credentials', audience: docs }
  const { headers } = await authority.post(wish, { ...asWeb, dpop: 'x' })
  const proof = { htm: 'POST', htu: door.origin + TOKEN_PATH, nonce: headers['dpop-nonce'] }
  const { json, text } = await authority.post(wish, { ...asWeb, dpop: key.proof(proof) })
  if (json['token_type'] !== 'DPoP') throw new Error(text)
  return String(json['access_token'])
}

const refused: readonly (readonly [string, () => Promise<string>, string])[] = [
  ['nothing', () => Promise.resolve(''), 'Invalid Compact JWS'],
  ['a token for another API', () => ofAgent(files), '"aud"'],
  [
    'a token that was changed',
    async () => (await ofAgent(docs)).replace(/.{9}$/, 'AAAAAAAAA'),
    'signature verification failed',
  ],
  ['an ID token', idToken, '"typ"'],
  ['the proof of a pod', () => authority.proofOf('doc-analyst'), 'no applicable key'],
  ['a token that is bound to a key', boundToken, 'bound to a key'],
]

describe('the code of the page', () => {
  test('knows the agent, and its scopes', async () => {
    expect(await whoAsks(`Bearer ${await ofAgent(docs)}`)).toEqual({
      sub: 'agent:doc-analyst',
      actor: undefined,
      scopes: ['read:documents', 'write:documents'],
    })
  })

  test('knows the user, and the agent that acts for them', async () => {
    await authority.allow('user_a', 'doc-analyst', ['read:documents'])
    const { json } = await authority.exchange({
      subject_token: await authority.userToken({ scope: 'openid read:documents' }),
      actor_token: await authority.agentToken('doc-analyst'),
      audience: docs,
    })
    expect(await whoAsks(`Bearer ${String(json['access_token'])}`)).toEqual({
      sub: 'user_a',
      actor: 'agent:doc-analyst',
      scopes: ['read:documents'],
    })
  })

  test.each(refused)('refuses %s', async (_name, make, reason) => {
    const token = await make()
    await expect(whoAsks(`Bearer ${token}`)).rejects.toThrow(reason)
  })

  test('refuses a token that has ended', async () => {
    const token = await ofAgent(docs)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * HOUR_MS })
    await expect(whoAsks(`Bearer ${token}`)).rejects.toThrow('"exp"')
  })
})
