import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import type { Peopled } from '../../fakes/peopled_authority.ts'
import type { Json } from '../../fakes/running_authority.ts'
import { Browser } from '../authorize/browser.ts'
import {
  ALICE,
  askFor,
  BASE,
  BOB,
  ORIGIN,
  PASSWORD,
  signedInAt,
  withPeople,
} from '../authorize/people.ts'

const ACCOUNT = `${BASE}/account`
const ASKS = 'doc-analyst asks to act for you.'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await withPeople({ clock })
})

afterAll(() => world.stop())

const ofAnother = { clientId: 'other-web', scope: 'openid read:documents read:reports' }

/** What an agent is answered that wants to act for a user by a token that was made for another client. */
async function delegate(user: string, agent = 'doc-analyst', scope = 'read:documents') {
  return world.exchange({
    subject_token: await world.userToken(ofAnother, user),
    actor_token: await world.agentToken(agent),
    scope,
  })
}

async function approvalOf(user: string, agent?: string): Promise<string> {
  const { status, json } = await delegate(user, agent)
  expect([status, json['code']]).toEqual([403, 'consent_required'])
  return String(json['approval'])
}

async function statusOf(approval: string, agent = 'doc-analyst') {
  const answer = await world.send({
    path: `${BASE}/agents/me/approvals/${approval}/status`,
    headers: { authorization: `Bearer ${await world.agentToken(agent)}` },
  })
  return { status: answer.status, json: answer.json, headers: answer.headers }
}

const rowsOf = (event: string) =>
  world.withStore(async (store) =>
    (await store.auditTail('acme-corp', 500))
      .map(({ text }) => JSON.parse(text) as Json)
      .filter((row) => row['event'] === event),
  )

/** What forms of this browser carry, of a page that always has one. */
async function formValueOf(browser: Browser): Promise<string> {
  const { text } = await browser.get(`${BASE}/oauth/logout`)
  return /name="form" value="([^"]*)"/.exec(text)?.[1] ?? ''
}

describe('an agent that needs consent', () => {
  test('is seen by its user, who approves, and by whom else it came', async () => {
    const approval = await approvalOf(ALICE)
    expect((await statusOf(approval)).json).toEqual({
      approval,
      status: 'pending',
      scope: 'read:documents',
      expires_at: expect.any(Number) as number,
      expires_in: 600,
    })
    const [browser, page] = await signedInAt(world, ACCOUNT)
    expect(page.text).toContain(ASKS)
    expect(page.text).toContain('<li>other-web</li><li>doc-analyst</li>')
    const done = await browser.submit(page, { action: 'approve' }, approval)
    expect([done.status, done.headers.location]).toEqual([303, ORIGIN + ACCOUNT])
    expect((await statusOf(approval)).json['status']).toBe('approved')
    const { status, json } = await delegate(ALICE)
    expect([status, json['scope']]).toEqual([200, 'read:documents'])
    const after = await browser.get(ACCOUNT)
    expect(after.text).not.toContain(ASKS)
    expect(after.text).toContain('value="end-agent"')

    // Taken back: what it has ends, and it has to ask again.
    expect((await world.introspect(json['access_token']))['active']).toBe(true)
    clock.advance(2_000)
    await browser.submit(after, { action: 'end-agent' }, 'end-agent')
    expect(await world.introspect(json['access_token'])).toEqual({ active: false })
    expect(await world.introspect(await world.userToken(ofAnother, ALICE))).toMatchObject({
      active: true,
    })
    expect((await browser.get(ACCOUNT)).text).toContain('No agent acts for you.')
    await approvalOf(ALICE)
    expect(await rowsOf('approval.approved')).toMatchObject([
      { subject: ALICE, client_id: 'doc-analyst', scope_requested: 'read:documents' },
    ])
    expect(await rowsOf('user_grant.removed')).toMatchObject([
      { subject: ALICE, client_id: 'doc-analyst', request_id: expect.any(String) as string },
    ])
  })

  test('is denied, once, and does not ask again at once', async () => {
    const approval = await approvalOf(BOB)
    const [browser, page] = await signedInAt(world, ACCOUNT, 'bob@example.com')
    await browser.submit(page, { action: 'deny' }, approval)
    expect((await statusOf(approval)).json['status']).toBe('denied')
    const late = await browser.submit(page, { action: 'approve' }, approval)
    expect(late.status).toBe(409)
    expect(await approvalOf(BOB)).toBe(approval)
    const rows = await rowsOf('approval.denied')
    expect(rows.filter((row) => row['client_id'] === 'doc-analyst')).toMatchObject([
      { subject: BOB, outcome: 'denied' },
    ])
  })

  test('is denied whatever else it asks for, and nobody is asked until ten minutes are over', async () => {
    const ask = (scope: string) => delegate(BOB, 'orchestrator', scope)
    const asks = 'orchestrator asks to act for you.'
    const refusals = async () =>
      (await rowsOf('token.refused')).filter((row) => row['reason'] === 'consent_required')
    const before = (await refusals()).length
    const approval = String((await ask('read:documents')).json['approval'])
    const [browser, page] = await signedInAt(world, ACCOUNT, 'bob@example.com')
    expect(page.text).toContain(asks)
    await browser.submit(page, { action: 'deny' }, approval)
    for (const scope of ['read:reports', 'read:documents read:reports', 'read:documents']) {
      clock.advance(60_000)
      const { status, json } = await ask(scope)
      expect([status, json['code'], json['approval']]).toEqual([403, 'consent_required', approval])
    }
    // Until then it is told of the denial, and no longer.
    expect((await ask('read:reports')).json['expires_in']).toBe(420)
    expect((await statusOf(approval, 'orchestrator')).json).toMatchObject({
      status: 'denied',
      scope: 'read:documents',
    })
    expect((await browser.get(ACCOUNT)).text).not.toContain(asks)
    // That it went on asking is on record.
    expect((await refusals()).length - before).toBe(5)
    clock.advance(420_000)
    const next = await ask('read:reports')
    expect(next.json['approval']).not.toBe(approval)
    expect(next.json['expires_in']).toBe(600)
    const after = await signedInAt(world, ACCOUNT, 'bob@example.com')
    expect(after[1].text).toContain(asks)
    expect(after[1].text).toContain('read:reports')
    const answers = (await rowsOf('approval.denied')).filter(
      (row) => row['client_id'] === 'orchestrator',
    )
    expect(answers).toHaveLength(1)
  })

  test.each([
    ['denies', 'deny', 'denied'],
    ['approves', 'approve', 'approved'],
  ])(
    'asks for something else meanwhile, and the user %s what they read',
    async (_name, action, status) => {
      clock.advance(600_000)
      const ask = (scope: string) => delegate(BOB, 'orchestrator', scope)
      const approval = String((await ask('read:documents')).json['approval'])
      const [browser, page] = await signedInAt(world, ACCOUNT, 'bob@example.com')
      for (const scope of ['read:reports', 'read:documents read:reports', 'read:documents']) {
        clock.advance(1_000)
        const { json } = await ask(scope)
        expect([json['code'], json['approval']]).toEqual(['consent_required', approval])
        expect(json['expires_in']).toBeLessThan(600)
      }
      // Answered on the page that was opened before the agent went on asking.
      expect((await browser.submit(page, { action }, approval)).status).toBe(303)
      expect((await statusOf(approval, 'orchestrator')).json).toMatchObject({
        status,
        scope: 'read:documents',
      })
      // No more is allowed than was read, and more is a new question only where they said yes.
      const more = await ask('read:reports')
      expect([more.status, more.json['code']]).toEqual([403, 'consent_required'])
      expect(more.json['approval'] === approval).toBe(status === 'denied')
      expect((await ask('read:documents')).status).toBe(status === 'denied' ? 403 : 200)
    },
  )

  test('learns that nobody answered, and so does the record', async () => {
    const approval = await approvalOf(BOB, 'specialist')
    clock.advance(600_000)
    expect((await statusOf(approval, 'specialist')).json).toEqual({
      approval,
      status: 'expired',
      scope: 'read:documents',
      expires_at: expect.any(Number) as number,
    })
    const rows = await rowsOf('approval.expired')
    expect(rows.filter((row) => row['client_id'] === 'specialist')).toMatchObject([
      { subject: BOB, outcome: 'denied' },
    ])
    const [, page] = await signedInAt(world, ACCOUNT, 'bob@example.com')
    expect(page.text).toContain('Nothing waits for your answer.')
  })
})

describe('an approval', () => {
  test('is nothing to another user, whatever they post', async () => {
    const approval = await approvalOf(ALICE, 'orchestrator')
    const [browser, page] = await signedInAt(world, ACCOUNT, 'bob@example.com')
    expect(page.text).not.toContain(approval)
    const form = await formValueOf(browser)
    const answer = await browser.post(ACCOUNT, {
      form,
      action: 'approve',
      id: approval,
    })
    expect(answer.status).toBe(409)
    expect((await statusOf(approval, 'orchestrator')).json['status']).toBe('pending')
  })

  test.each([
    ['of another agent', async () => statusOf(await approvalOf(ALICE, 'orchestrator'), 'loner')],
    ['that is none', () => statusOf('nothing')],
    ['that climbs', () => statusOf('..%2F..%2Fme')],
  ])('%s is none to an agent', async (_name, ask) => {
    const { status, json } = await ask()
    expect([status, json['error'], json['status']]).toEqual([404, 'not_found', 404])
  })

  test.each([
    ['no token', () => Promise.resolve({})],
    [
      'a token of a user',
      async () => ({ authorization: `Bearer ${await world.userToken({ resources: [] }, ALICE)}x` }),
    ],
  ])('is not told of to %s', async (_name, headers) => {
    const path = `${BASE}/agents/me/approvals/x/status`
    expect((await world.send({ path, headers: await headers() })).status).toBe(401)
  })
})

test('what an application was given is taken back with all that was made of it', async () => {
  const [browser, consent] = await signedInAt(world, `${BASE}/oauth/authorize?${askFor()}`)
  const back = await browser.submit(consent, { decision: 'allow' })
  const code = new URL(back.headers.location ?? '').searchParams.get('code') ?? ''
  const { json } = await world.redeem(code)
  await world.allow(ALICE, 'doc-analyst', ['read:documents'])
  const derived = await world.exchange({
    subject_token: String(json['access_token']),
    actor_token: await world.agentToken('doc-analyst'),
    scope: 'read:documents',
  })
  expect(derived.status).toBe(200)
  const page = await browser.get(ACCOUNT)
  expect(page.text).toContain('<code>read:documents</code>')
  await browser.submit(page, { action: 'end-client' }, 'end-client')
  for (const token of [json['access_token'], derived.json['access_token']]) {
    expect(await world.introspect(token)).toEqual({ active: false })
  }
  expect((await world.refresh(json['refresh_token'])).json['error']).toBe('invalid_grant')
  expect((await browser.get(ACCOUNT)).text).toContain('No application has access.')
  expect((await browser.get(`${BASE}/oauth/authorize?${askFor()}`)).text).toContain('Allow access?')
})

describe('the page', () => {
  test('is for whoever is signed in, and leads back to itself', async () => {
    const browser = new Browser(world.port, ORIGIN)
    const page = await browser.get(ACCOUNT)
    expect(page.text).toContain('to see what acts for you')
    const wrong = await browser.submit(page, { email: 'alice@example.com', password: 'x' })
    expect(wrong.status).toBe(400)
    const back = await browser.submit(wrong, { email: 'alice@example.com', password: PASSWORD })
    expect(back.headers.location).toBe(ORIGIN + ACCOUNT)
  })

  test.each([
    ['an action that is none', { action: 'everything' }],
    ['a form without its value', { action: 'approve', form: '' }],
  ])('refuses %s', async (_name, more) => {
    const [browser] = await signedInAt(world, ACCOUNT)
    const form = await formValueOf(browser)
    const answer = await browser.post(ACCOUNT, { form, id: 'x', ...more })
    expect(answer.status).toBe(403)
  })

  test('shows names as text', async () => {
    await world.withStore((store) =>
      store.putUserGrant({
        tenant: 'acme-corp',
        user: ALICE,
        agent: '<script>x</script>',
        scopes: ['"><img src=x>'],
        createdAt: 0,
      }),
    )
    const [, page] = await signedInAt(world, ACCOUNT)
    expect(page.text).toContain('&lt;script&gt;x&lt;/script&gt;')
    expect(page.text).not.toMatch(/<script|<img/)
  })
})
