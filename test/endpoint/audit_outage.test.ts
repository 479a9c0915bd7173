import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditKeys } from '../../src/audit/chain.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { auditSeed } from '../../src/compose/authority_state.ts'
import { Seal } from '../../src/endpoint/sealing.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  exchangeOf,
  newFolder,
  secret,
  type Answer,
  type Json,
} from '../fakes/running_authority.ts'
import { postTo } from './beside.ts'

const clock = new FakeClock()
let folder: string
let world: Peopled

beforeAll(async () => {
  folder = await newFolder()
  world = await peopledAuthority({ clock, folder })
})

afterAll(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

const CREDENTIALS = { grant_type: 'client_credentials' }

async function rows(): Promise<readonly Json[]> {
  const all = await world.withStore((store) => store.auditTail('acme-corp', 10_000))
  return all.map(({ text }) => JSON.parse(text) as Json)
}

/** What a request puts on record. */
async function recorded(work: () => Promise<Answer>): Promise<readonly [Answer, readonly Json[]]> {
  const before = (await rows()).length
  const answer = await work()
  return [answer, (await rows()).slice(before)]
}

describe('while nothing can be put on record', () => {
  const OUT = { status: 503, error: 'temporarily_unavailable', code: undefined }

  /** The rest of the store goes on as before. */
  async function withoutAudit<T>(work: () => Promise<T>): Promise<T> {
    const database = new DatabaseSync(join(folder, 'authority.sqlite'), { timeout: 5_000 })
    try {
      database.exec(`CREATE TRIGGER no_audit BEFORE INSERT ON audit_rows
        BEGIN SELECT RAISE(ABORT, 'no space'); END`)
      return await work()
    } finally {
      database.exec('DROP TRIGGER no_audit')
      database.close()
    }
  }

  async function refusedAs503(request: () => Promise<Answer>): Promise<void> {
    const [answer, all] = await recorded(() => withoutAudit(request))
    expect(refusalOf(answer)).toEqual(OUT)
    expect(Object.keys(answer.json)).toEqual(['error', 'error_description'])
    expect(answer.headers['retry-after']).toBe('1')
    expect(all).toEqual([])
  }

  const mintless: readonly (readonly [name: string, request: () => Promise<Answer>])[] = [
    ['client_credentials', () => world.post(CREDENTIALS, asWeb)],
    ['a proof', async () => world.post(exchangeOf(await world.proofOf('doc-analyst')))],
    ['what would be refused', () => world.post({ ...CREDENTIALS, scope: 'admin' }, asWeb)],
    ['a wrong secret', () => world.post(CREDENTIALS, basic('web', 'x'))],
  ]
  test.each(mintless)('no token goes out for %s', async (_, request) => {
    await refusedAs503(request)
  })

  test('a refresh token keeps its worth for a client that tries again', async () => {
    const { refresh_token: token } = await world.signIn()
    await refusedAs503(() => world.refresh(token))
    clock.advance(5_000)
    const again = await world.refresh(token)
    expect(again.status).toBe(200)
    expect((await world.refresh(again.json['refresh_token'])).status).toBe(200)
  })

  test('a revocation is on record when the client has tried again', async () => {
    const token = await world.clientToken('web')
    const revoke = () => postTo(world, 'revoke', { token }, asWeb)
    await refusedAs503(revoke)
    const [answer, all] = await recorded(revoke)
    expect(answer.status).toBe(200)
    expect(await world.introspect(token)).toEqual({ active: false })
    expect(all).toMatchObject([{ event: 'token.revoked', client_id: 'web' }])
  })

  test('it serves as before when that is over', async () => {
    await refusedAs503(() => world.post(CREDENTIALS, asWeb))
    expect((await world.post(CREDENTIALS, asWeb)).status).toBe(200)
  })
})

test('the chain of a whole life holds, and nothing that was handed out stands in it', async () => {
  const own = await newFolder()
  const authority = await peopledAuthority({ folder: own })
  const tokens = await authority.signIn()
  const next = await authority.refresh(tokens['refresh_token'])
  const code = await authority.code()
  await authority.redeem(code, { redirect_uri: 'https://elsewhere.example' })
  await authority.post(CREDENTIALS, basic('web', 'wrong'))
  await authority.stop()

  const kept = sqliteStore(join(own, 'authority.sqlite'))
  const seal = Seal.parse(await readFile(join(own, 'key-encryption'), 'utf8'), systemRandom)
  const report = await verifyAudit(kept, auditKeys(auditSeed(seal)).publicKey)
  const text = JSON.stringify(await kept.auditTail(undefined, 1_000))
  await kept.close()
  await rm(own, { recursive: true })
  expect(report).toMatchObject({ intact: true, segments: [{ state: 'closed', rows: 8 }] })
  const handedOut = [tokens, next.json].flatMap((json) => [
    json['access_token'],
    json['refresh_token'],
    json['id_token'] ?? code,
  ])
  for (const one of [...handedOut, code, secret]) expect(text).not.toContain(one)
})
