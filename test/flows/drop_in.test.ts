import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import {
  credentialsForm,
  exchangeForm,
  inBody,
  postForm,
  type DropInForm,
} from '../fakes/drop_in.ts'
import { ISSUER, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { runBroker, type ComposedBroker } from '../fakes/running_broker.ts'
import {
  ACCESS_TOKEN,
  docs,
  files,
  FORM,
  sendHttp,
  TOKEN_EXCHANGE,
  type Answer,
} from '../fakes/running_authority.ts'

const P = '/t/acme-corp/api/v1'

let authority: Peopled
let broker: ComposedBroker
let shallow: ComposedBroker
let userToken: string

beforeAll(async () => {
  authority = await peopledAuthority({ clock: systemClock })
  for (const agent of ['doc-analyst', 'orchestrator', 'shallow']) {
    await authority.allow('user_a', agent, ['read:documents'])
  }
  broker = await runBroker(authority, 'doc-analyst')
  shallow = await runBroker(authority, 'shallow')
})

afterAll(async () => {
  await broker.stop()
  await shallow.stop()
  await authority.stop()
})

beforeEach(async () => {
  userToken = await authority.userToken({ scope: 'read:documents read:reports' })
})

const tokenIn = ({ json, text }: Answer): string => {
  if (typeof json['access_token'] !== 'string') throw new Error(text)
  return json['access_token']
}
const claimsIn = (answer: Answer) => decodeJwt(tokenIn(answer))
const outcomeOf = ({ status, json }: Answer) => [status, json['error'], json['code']]
const actor = (token: string): DropInForm => ({
  actor_token: token,
  actor_token_type: ACCESS_TOKEN,
})

/** As the SDKs exchange: without client authentication, and without a client_id. */
const likeSdk = { client_id: undefined, client_secret: undefined }

const own = async () => tokenIn(await postForm(broker, credentialsForm))

describe('client_credentials', () => {
  test("gives the workload's own token", async () => {
    const answer = await postForm(broker, { ...credentialsForm, resource: [docs, files] })
    expect(answer.json).toMatchObject({ token_type: 'Bearer', scope: 'read:documents' })
    expect(claimsIn(answer)).toMatchObject({
      sub: 'agent:doc-analyst',
      client_id: 'doc-analyst',
      aud: [docs, files],
    })
  })

  test.each([
    ['its own client_id', { client_id: 'doc-analyst' }, [200, undefined, undefined]],
    [
      'the client_id of another agent',
      { client_id: 'orchestrator' },
      [403, 'invalid_request', 'authority_refused'],
    ],
    ['a scope too wide', { scope: 'admin:all' }, [400, 'invalid_scope', 'request_refused']],
    [
      'a target of no rule',
      { audience: 'https://x.example' },
      [400, 'invalid_target', 'request_refused'],
    ],
  ])('with %s', async (_name, more, expected) => {
    expect(outcomeOf(await postForm(broker, { ...credentialsForm, ...more }))).toEqual(expected)
  })
})

describe('token exchange', () => {
  test("a user's token: the workload acts for the user", async () => {
    const answer = await postForm(broker, exchangeForm(userToken, { scope: 'read:documents' }))
    expect(answer.json).toMatchObject({ issued_token_type: ACCESS_TOKEN, scope: 'read:documents' })
    expect(claimsIn(answer)).toMatchObject({
      sub: 'user_a',
      client_id: 'doc-analyst',
      act: { sub: 'agent:doc-analyst', iss: ISSUER, client_id: 'doc-analyst' },
    })
  })

  test('as the SDKs send it, with both tokens and no client authentication', async () => {
    const form = exchangeForm(userToken, {
      ...likeSdk,
      ...actor(await own()),
      audience: docs,
      scope: 'read:documents',
    })
    expect(claimsIn(await postForm(broker, form))).toMatchObject({ sub: 'user_a', aud: docs })
  })

  test('as the SDKs narrow for an MCP server, with one token and no client authentication', async () => {
    const wide = tokenIn(await postForm(broker, { ...credentialsForm, audience: [docs, files] }))
    const narrowed = await postForm(broker, exchangeForm(wide, { ...likeSdk, audience: docs }))
    expect(claimsIn(narrowed)).toMatchObject({ sub: 'agent:doc-analyst', aud: docs })
    expect(claimsIn(narrowed)['act']).toBeUndefined()
  })

  test('a delegated token is narrowed, and the chain stays as it is', async () => {
    const delegated = tokenIn(
      await postForm(broker, exchangeForm(userToken, { scope: 'read:documents' })),
    )
    const answer = await postForm(
      broker,
      exchangeForm(delegated, { audience: docs, scope: 'read:documents' }),
    )
    const { act, aud } = claimsIn(answer)
    expect({ act, aud }).toMatchObject({ aud: docs, act: { sub: 'agent:doc-analyst' } })
    expect((act as { act?: unknown }).act).toBeUndefined()
  })

  test('a token that another agent holds for a user: the chain grows', async () => {
    const orchestrator = await authority.agentToken('orchestrator')
    const { json } = await authority.exchange({
      subject_token: userToken,
      actor_token: orchestrator,
      scope: 'read:documents',
    })
    const answer = await postForm(broker, exchangeForm(String(json['access_token'])))
    expect(claimsIn(answer)['act']).toMatchObject({
      sub: 'agent:doc-analyst',
      act: { sub: 'agent:orchestrator' },
    })
    const tooDeep = await postForm(shallow, exchangeForm(String(json['access_token'])))
    expect(tooDeep.status).toBe(403)
    expect(tooDeep.json).toMatchObject({ error: 'delegation_depth_exceeded', max_depth: 1 })
  })

  test('a user who has not agreed: which approval to wait for', async () => {
    const other = await authority.userToken(
      { clientId: 'other-web', scope: 'read:documents' },
      'user_b',
    )
    const answer = await postForm(broker, exchangeForm(other, { scope: 'read:documents' }))
    expect(answer.status).toBe(403)
    expect(answer.json).toEqual({
      error: 'access_denied',
      error_description: expect.any(String) as string,
      code: 'consent_required',
      approval: expect.any(String) as string,
      expires_in: 600,
    })
  })

  test('what a stranger shows is refused by the authority, whatever its claims say', async () => {
    const [header, payload] = (await own()).split('.')
    const forged = `${String(header)}.${String(payload)}.${Buffer.alloc(64).toString('base64url')}`
    expect(outcomeOf(await postForm(broker, exchangeForm(forged, likeSdk)))).toEqual([
      400,
      'invalid_request',
      'exchange_refused',
    ])
    expect(
      outcomeOf(await postForm(broker, exchangeForm(userToken, { ...likeSdk, ...actor(forged) }))),
    ).toEqual([400, 'invalid_request', 'exchange_refused'])
  })

  test("the pod's own proof is none of its subjects", async () => {
    const form = {
      grant_type: TOKEN_EXCHANGE,
      ...inBody,
      subject_token: await authority.proofOf('doc-analyst'),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }
    expect(outcomeOf(await postForm(broker, form))).toEqual([
      400,
      'invalid_request',
      'subject_foreign',
    ])
  })
})

describe('the forwarded paths', () => {
  const call = (path: string, token: string, wish: object = {}) =>
    sendHttp(broker.port, { path, headers: { authorization: `Bearer ${token}` }, ...wish })

  test.each([`${P}/oauth/userinfo`, '/orgs/acme-corp/api/v1/oauth/userinfo'])(
    '%s',
    async (path) => {
      const answer = await call(path, await own())
      expect(answer.status).toBe(200)
      expect(answer.json).toMatchObject({ sub: 'agent:doc-analyst', identity_type: 'agent' })
    },
  )

  test('a token that is worth nothing is refused by the authority, with its challenge', async () => {
    const answer = await call(`${P}/oauth/userinfo`, 'a.b.c')
    expect([answer.status, answer.json['error']]).toEqual([401, 'invalid_token'])
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
  })

  test('a client revokes a token with the guard value as its secret', async () => {
    const token = tokenIn(
      await postForm(broker, exchangeForm(userToken, { scope: 'read:documents' })),
    )
    expect(await authority.introspect(token)).toMatchObject({ active: true })
    const body = new URLSearchParams({ token, ...inBody, client_id: 'doc-analyst' }).toString()
    const answer = await sendHttp(broker.port, {
      method: 'POST',
      path: `${P}/oauth/revoke`,
      headers: FORM,
      body,
    })
    expect(answer.status).toBe(200)
    expect(await authority.introspect(token)).toEqual({ active: false })
  })
})

describe('when a broker ends', () => {
  test.each([
    ['revokes what it holds where it is told to', true],
    ['leaves it otherwise', false],
  ])('it %s', async (_name, revoke) => {
    const ending = await runBroker(authority, 'doc-analyst', { broker: { shutdown: { revoke } } })
    const tokens = [
      tokenIn(await postForm(ending, credentialsForm)),
      tokenIn(await postForm(ending, { ...credentialsForm, audience: docs })),
    ]
    await ending.stop()
    for (const token of tokens) {
      expect(await authority.introspect(token)).toMatchObject({ active: !revoke })
    }
    expect((await ending.metrics()).includes('lumo_revocations_total{outcome="revoked"} 2')).toBe(
      revoke,
    )
  })
})
