import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import type { Peopled } from '../../fakes/peopled_authority.ts'
import { docs, files, newFolder } from '../../fakes/running_authority.ts'
import { askFor, ALICE, BASE, signedInAt, withPeople } from './people.ts'

const at = (more: Readonly<Record<string, string>> = {}) =>
  `${BASE}/oauth/authorize?${askFor(more)}`

const clock = new FakeClock()
let folder: string
let world: Peopled

beforeAll(async () => {
  folder = await newFolder()
  world = await withPeople({ clock, folder })
})

afterAll(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

const forget = () => world.withStore((store) => store.removeConsent('acme-corp', ALICE, 'web'))

const asksAgain = async (path: string) => {
  const [, page] = await signedInAt(world, path)
  return page.text.includes('Allow access?')
}

describe('a request that names no target', () => {
  test('is shown with each place that it reaches, and covers them', async () => {
    await forget()
    const [browser, page] = await signedInAt(world, at())
    expect(page.text).toContain('Wherever it is let in, so far:')
    for (const place of [docs, files]) expect(page.text).toContain(`<code>${place}</code>`)
    await browser.submit(page, { decision: 'allow' })
    expect(await asksAgain(at({ resource: docs }))).toBe(false)
  })

  test('is asked for after one that names some', async () => {
    await forget()
    const [browser, page] = await signedInAt(world, at({ resource: docs }))
    expect(page.text).not.toContain(files)
    await browser.submit(page, { decision: 'allow' })
    expect(await asksAgain(at({ resource: docs }))).toBe(false)
    expect(await asksAgain(at({ resource: files }))).toBe(true)
    expect(await asksAgain(at())).toBe(true)
  })
})

test('what was not shown is not agreed to', async () => {
  await forget()
  const [browser, page] = await signedInAt(world, at())
  const other = await browser.submit(page, { decision: 'allow', shown: 'x' })
  expect((await browser.follow(other)).text).toContain('Allow access?')
})

test('whoever is signed in by now does not answer for another', async () => {
  await forget()
  const [browser, page] = await signedInAt(world, at())
  const answer = await browser.submit(page, { decision: 'allow', user: 'local:bob' })
  expect((await browser.follow(answer)).text).toContain('Allow access?')
})

describe('while nothing can be put on record', () => {
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

  test('nobody agrees', async () => {
    await forget()
    const [browser, page] = await signedInAt(world, at())
    const answer = await withoutAudit(() => browser.submit(page, { decision: 'allow' }))
    expect(answer.status).toBe(503)
    expect(await asksAgain(at())).toBe(true)
  })

  test('nothing is approved and nothing is taken back', async () => {
    await world.withStore(async (store) => {
      await store.openApproval({
        tenant: 'acme-corp',
        id: 'a-1',
        user: ALICE,
        agent: 'doc-analyst',
        scopes: ['read:documents'],
        chain: ['web'],
        status: 'pending',
        createdAt: clock.now,
        expiresAt: clock.now + 600,
      })
      await store.putUserGrant({
        tenant: 'acme-corp',
        user: ALICE,
        agent: 'orchestrator',
        scopes: ['read:documents'],
        createdAt: 0,
      })
    })
    const [browser, page] = await signedInAt(world, `${BASE}/account`)
    const statuses = await withoutAudit(async () => [
      (await browser.submit(page, { action: 'approve' }, 'a-1')).status,
      (await browser.submit(page, { action: 'end-agent' }, 'orchestrator')).status,
    ])
    expect(statuses).toEqual([503, 503])
    await world.withStore(async (store) => {
      expect((await store.approval('acme-corp', 'a-1'))?.status).toBe('pending')
      expect(await store.userGrants('acme-corp', ALICE)).toHaveLength(1)
    })
  })
})

test('an agent asks a user for no more than a token could hold', async () => {
  const form = {
    subject_token: await world.userToken(
      { clientId: 'other-web', scope: 'openid read:documents' },
      ALICE,
    ),
    actor_token: await world.agentToken('specialist'),
  }
  for (const scope of ['read:documents ALERT:call-us', 'read:documents write:documents']) {
    const { status, json } = await world.exchange({ ...form, scope })
    expect([status, json['error']]).toEqual([400, 'invalid_scope'])
  }
  const open = await world.withStore((store) => store.approvals('acme-corp', clock.now, ALICE))
  expect(open.filter(({ agent }) => agent === 'specialist')).toEqual([])
})
