import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { credentialsForm, exchangeForm, postForm } from '../fakes/drop_in.ts'
import { ISSUER, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { runBroker, type ComposedBroker } from '../fakes/running_broker.ts'
import { basic, docs, sendHttp, type Answer } from '../fakes/running_authority.ts'

const P = '/t/acme-corp/api/v1'

let authority: Peopled

beforeAll(async () => {
  authority = await peopledAuthority({ clock: systemClock })
})

afterAll(() => authority.stop())

const tokenIn = ({ json, text }: Answer): string => {
  if (typeof json['access_token'] !== 'string') throw new Error(text)
  return json['access_token']
}

describe('in the process of its authority', () => {
  let broker: ComposedBroker

  beforeAll(async () => {
    broker = await runBroker(authority, 'doc-analyst', { within: {} })
  })

  test('tokens, exchanges and what is forwarded need no socket', async () => {
    const own = tokenIn(await postForm(broker, credentialsForm))
    const narrowed = await postForm(broker, exchangeForm(own, { audience: docs }))
    expect(decodeJwt(tokenIn(narrowed))).toMatchObject({ iss: ISSUER, aud: docs })
    const headers = { authorization: `Bearer ${own}` }
    const known = await sendHttp(broker.port, { path: `${P}/oauth/userinfo`, headers })
    expect(known.json).toMatchObject({ sub: 'agent:doc-analyst' })
    const posted = await sendHttp(broker.port, {
      method: 'POST',
      path: `${P}/oauth/userinfo`,
      headers,
    })
    expect(posted.json).toEqual(known.json)
    const nobody = await sendHttp(broker.port, {
      path: `${P}/oauth/userinfo`,
      headers: { authorization: 'Bearer x' },
    })
    expect(nobody.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    const absent = await sendHttp(broker.port, { path: `${P}/agents/nobody`, headers })
    expect(absent.status).toBe(404)
  })

  test('and it revokes what it holds as it ends', async () => {
    const ending = await runBroker(authority, 'doc-analyst', {
      within: { shutdown: { drainDelayMs: 0, graceMs: 0, revoke: true } },
    })
    const token = tokenIn(await postForm(ending, credentialsForm))
    await ending.stop()
    expect(await authority.introspect(token)).toEqual({ active: false })
    await broker.stop()
  })
})

describe('where callers prove themselves', () => {
  let broker: ComposedBroker

  beforeAll(async () => {
    broker = await runBroker(authority, 'doc-analyst', {
      within: {
        proof: { from: 'caller', providers: undefined, maxWorkloads: 10 },
        dropIn: { guard: 'caller' },
      },
    })
  })

  afterAll(() => broker.stop())

  const grant = { grant_type: 'client_credentials' }
  const assertionOf = (token: string) => ({
    client_assertion: token,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })

  test.each(['doc-analyst', 'specialist'])(
    'each has its own token by its projected one: %s',
    async (agent) => {
      const proof = await authority.proofOf(agent)
      const asSecret = await postForm(broker, grant, basic('self', proof))
      const asAssertion = await postForm(broker, {
        ...grant,
        client_id: agent,
        ...assertionOf(proof),
      })
      for (const answer of [asSecret, asAssertion]) {
        expect(decodeJwt(tokenIn(answer))).toMatchObject({ sub: `agent:${agent}` })
      }
    },
  )

  test("one pod's token is no other's subject without its own as actor", async () => {
    const other = await authority.agentToken('specialist')
    const proof = await authority.proofOf('doc-analyst')
    const form = exchangeForm(other, { client_id: 'self', client_secret: proof })
    const answer = await postForm(broker, form)
    // Sent as a delegation, with this pod as the actor: which the authority does not allow.
    expect([answer.status, answer.json['error']]).toEqual([403, 'access_denied'])
  })

  test.each([
    ['a token that is none', 'a.b.c'],
    ['no token', ''],
  ])('%s has none', async (_name, token) => {
    const answer = await postForm(broker, grant, basic('self', token))
    expect([answer.status, answer.json['code']]).toEqual([401, 'client_unproven'])
  })
})
