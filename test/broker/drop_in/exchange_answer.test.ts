import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import {
  agentClaims,
  exchangeForm,
  guarded,
  postForm,
  tokenOf,
  userClaims,
  type DropInForm,
} from '../../fakes/drop_in.ts'
import { ACCESS_TOKEN, JWT, TOKEN_EXCHANGE, TOKEN_PATH } from '../../fakes/running_authority.ts'

let broker: ListeningBroker

beforeEach(async () => {
  broker = await listeningBroker({ dropIn: guarded })
  broker.authority.tokenOf = (count) => tokenOf({ ...agentClaims, jti: String(count) })
})

afterEach(() => broker.close())

/** The workload's own token, as the broker has it once it was asked for anything. */
const ownToken = tokenOf({ ...agentClaims, jti: '1' })
const userToken = tokenOf(userClaims)

/** Lets the broker learn who the workload is. */
const warm = () => broker.getToken.byExchange(broker.workload, broker.wishOf('') as never)

const codeOf = async (form: DropInForm) => {
  const { status, json } = await postForm(broker, form)
  return [status, json['code']]
}

describe('the request to the authority', () => {
  beforeEach(warm)

  test('says what was asked for', async () => {
    await postForm(
      broker,
      exchangeForm(userToken, {
        client_id: 'doc-analyst',
        subject_token_type: JWT,
        requested_token_type: JWT,
        audience: ['a', 'b'],
        resource: 'https://r.example',
        scope: 'x y',
      }),
    )
    const actor = broker.authority.asked.find(
      ({ clientId, subjectTokenType }) => clientId === 'doc-analyst' && subjectTokenType === JWT,
    )
    expect(actor).toMatchObject({ audiences: [], scope: undefined })
    expect(broker.authority.asked.at(-1)).toMatchObject({
      subjectToken: userToken,
      subjectTokenType: JWT,
      requestedTokenType: JWT,
      audiences: ['a', 'b'],
      resources: ['https://r.example'],
      scope: ['x', 'y'],
      clientId: 'doc-analyst',
    })
  })

  test('is made anew each time: nothing of it is kept', async () => {
    const one = await postForm(broker, exchangeForm(userToken))
    const two = await postForm(broker, exchangeForm(userToken))
    expect(one.json['access_token']).not.toBe(two.json['access_token'])
    expect(broker.cache.size).toBe(1)
  })

  const malformed: readonly (readonly [string, DropInForm, string])[] = [
    [
      'no subject',
      { subject_token: undefined, subject_token_type: undefined },
      'parameter_missing',
    ],
    ['a subject without type', { subject_token_type: undefined }, 'parameter_missing'],
    ['a type without subject', { subject_token: undefined }, 'parameter_missing'],
    ['an actor without type', { actor_token: ownToken }, 'parameter_missing'],
    ['a type without actor', { actor_token_type: ACCESS_TOKEN }, 'parameter_missing'],
    [
      'a subject of another type',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'token_type_unsupported',
    ],
    [
      'a signed request as subject',
      { subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request' },
      'token_type_unsupported',
    ],
    [
      'an actor of another type',
      { actor_token: ownToken, actor_token_type: 'x' },
      'token_type_unsupported',
    ],
    [
      'another type wanted',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'token_type_unsupported',
    ],
    ['two subjects', { subject_token: [ownToken, userToken] }, 'parameter_repeated'],
    ['subject_issuer', { subject_issuer: 'kubernetes' }, 'parameter_unsupported'],
    ['jit_task_id', { jit_task_id: 'x' }, 'parameter_unsupported'],
    ['authorization_details', { authorization_details: '[]' }, 'parameter_unsupported'],
    ['a code', { code: 'x' }, 'parameter_unsupported'],
    ['a refresh token', { refresh_token: 'x' }, 'parameter_unsupported'],
  ]
  test.each(malformed)('is not made of a bad one: %s', async (_name, more, code) => {
    const before = broker.authority.asked.length
    expect(await codeOf(exchangeForm(ownToken, more))).toEqual([400, code])
    expect(broker.authority.asked.length).toBe(before)
  })
})

describe('the answer', () => {
  beforeEach(warm)

  test.each([
    ['access_token', ACCESS_TOKEN, {}],
    ['jwt, as it was asked for', JWT, { requested_token_type: JWT }],
  ])('is that of RFC 8693: %s', async (_name, issued_token_type, more) => {
    const answer = await postForm(broker, exchangeForm(userToken, { scope: 'x', ...more }))
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json).toEqual({
      access_token: tokenOf({ ...agentClaims, jti: '2' }),
      issued_token_type,
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'x',
    })
  })

  test.each<[string, ExchangeFailure, number, object]>([
    [
      'a bad subject',
      new ExchangeFailure('relayed', 'invalid_request', ''),
      400,
      { error: 'invalid_request', code: 'exchange_refused' },
    ],
    [
      'a scope too wide',
      new ExchangeFailure('relayed', 'invalid_scope', ''),
      400,
      { error: 'invalid_scope', code: 'exchange_refused' },
    ],
    [
      'a grant that the client has not',
      new ExchangeFailure('refused', 'unauthorized_client', ''),
      403,
      { error: 'unauthorized_client', code: 'authority_refused' },
    ],
    [
      'consent',
      new ExchangeFailure('refused', 'access_denied', '', undefined, {
        code: 'consent_required',
        approval: 'a-1',
        expires_in: 600,
      }),
      403,
      { error: 'access_denied', code: 'consent_required', approval: 'a-1', expires_in: 600 },
    ],
    [
      'depth',
      new ExchangeFailure('refused', 'delegation_depth_exceeded', '', undefined, { max_depth: 3 }),
      403,
      { error: 'delegation_depth_exceeded', code: 'authority_refused', max_depth: 3 },
    ],
  ])('tells of a refusal: %s', async (_name, failure, status, expected) => {
    broker.authority.fail(failure)
    const answer = await postForm(broker, exchangeForm(userToken))
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({ error_description: expect.any(String) as string, ...expected })
  })

  test("an exchange that is refused leaves the workload's own token where it is", async () => {
    broker.authority.fail(new ExchangeFailure('refused', 'access_denied', ''))
    expect((await postForm(broker, exchangeForm(userToken))).status).toBe(403)
    expect(broker.cache.size).toBe(1)
  })

  test('no token is written to the log', async () => {
    await postForm(broker, exchangeForm(userToken))
    broker.authority.fail(new ExchangeFailure('refused', 'access_denied', ''))
    await postForm(broker, exchangeForm(userToken))
    for (const token of [userToken, ownToken]) expect(broker.log.text()).not.toContain(token)
  })
})

test('JSON is taken too', async () => {
  const form = exchangeForm(userToken)
  const answer = await fetch(`http://${broker.host}${TOKEN_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...form, audience: ['a'], grant_type: TOKEN_EXCHANGE }),
  })
  expect(answer.status).toBe(200)
  expect(broker.authority.asked.at(-1)).toMatchObject({
    audiences: ['a'],
    actor: { token: ownToken },
  })
})
