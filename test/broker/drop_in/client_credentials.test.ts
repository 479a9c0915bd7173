import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import {
  byBasic,
  credentialsForm,
  formText,
  guarded,
  inBody,
  postForm,
  type DropInForm,
} from '../../fakes/drop_in.ts'
import {
  FORM,
  JSON_BODY,
  sendHttp,
  TOKEN_EXCHANGE,
  TOKEN_PATH,
} from '../../fakes/running_authority.ts'

describe('a token', () => {
  let broker: ListeningBroker | undefined
  const start = async () => {
    broker = await listeningBroker({ dropIn: guarded })
    return broker
  }

  afterEach(() => broker?.close())

  test.each([TOKEN_PATH, '/orgs/acme-corp/api/v1/oauth/token'])('at %s', async (path) => {
    const answer = await postForm(await start(), credentialsForm, {}, path)
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    })
    expect(answer.json).toEqual({
      access_token: 'token-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'agent:self',
    })
  })

  const wanted = { audience: ['a', 'b'], resource: 'https://r.example', scope: 'x y' }

  test.each([
    ['self', undefined],
    ['doc-analyst', 'doc-analyst'],
    ['somebody-else', 'somebody-else'],
  ])('for client_id %s asks the authority for agent %s', async (client_id, agent) => {
    const broker = await start()
    await postForm(broker, { ...credentialsForm, client_id, ...wanted })
    expect(broker.authority.asked).toMatchObject([
      {
        audiences: ['a', 'b'],
        resources: ['https://r.example'],
        scope: ['x', 'y'],
        clientId: agent,
      },
    ])
  })

  test('in JSON', async () => {
    const broker = await start()
    const body = JSON.stringify({ ...credentialsForm, ...wanted })
    const answer = await sendHttp(broker.port, { method: 'POST', headers: JSON_BODY, body })
    expect(answer.json).toMatchObject({ access_token: 'token-1', scope: 'x y' })
    expect(broker.authority.asked).toMatchObject([{ audiences: ['a', 'b'] }])
  })

  test('comes from the cache that the other routes have, with what is left of it', async () => {
    const broker = await start()
    await fetch(`http://${broker.host}/v1/token`, { headers: { 'Lumo-Broker': 'true' } })
    broker.clock.advance(60_000)
    const answer = await postForm(broker, { grant_type: 'client_credentials' }, byBasic)
    expect(answer.json).toMatchObject({ access_token: 'token-1', expires_in: 3_540 })
  })

  test.each([
    [new ExchangeFailure('relayed', 'invalid_scope', ''), 400, 'invalid_scope', 'request_refused'],
    [
      new ExchangeFailure('refused', 'invalid_client', ''),
      403,
      'invalid_client',
      'authority_refused',
    ],
  ])('is refused as the authority refuses it: $error', async (failure, status, error, code) => {
    const broker = await start()
    broker.authority.fail(failure)
    const answer = await postForm(broker, credentialsForm)
    expect({ status: answer.status, ...answer.json }).toMatchObject({ status, error, code })
  })

  test.each([
    ['globex', '/t/globex/api/v1/oauth/token'],
    ['a tenant in another case', '/t/Acme-Corp/api/v1/oauth/token'],
    ['a tenant with more behind it', '/orgs/acme-corp%2fx/api/v1/oauth/token'],
  ])('is not to be had of %s', async (_name, path) => {
    const answer = await postForm(await start(), credentialsForm, {}, path)
    expect({ status: answer.status, code: answer.json['code'] }).toEqual({
      status: 404,
      code: 'tenant_unknown',
    })
  })

  const others = ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']
  test.each([...others, 'TRACE', 'PROPFIND', 'QUERY'])('is not to be had by %s', async (method) => {
    const answer = await sendHttp((await start()).port, { method, path: TOKEN_PATH })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('POST')
  })
})

describe('a request that is refused', () => {
  let broker: ListeningBroker
  beforeAll(async () => {
    broker = await listeningBroker({ dropIn: guarded })
  })
  afterAll(() => broker.close())

  const codeOf = async (form: DropInForm, headers = {}, path = TOKEN_PATH) => {
    const { status, json } = await postForm(broker, form, headers, path)
    return [status, json['error'], json['code']]
  }
  const invalid = (code: string) => [400, 'invalid_request', code]

  test.each([
    'authorization_details',
    'request',
    'request_uri',
    'jit_task_id',
    'assertion',
    'subject_issuer',
    'code',
    'redirect_uri',
    'code_verifier',
    'refresh_token',
    'subject_token',
    'subject_token_type',
    'actor_token',
    'actor_token_type',
    'requested_token_type',
  ])('the parameter %s', async (name) => {
    expect(await codeOf({ ...credentialsForm, [name]: 'x' })).toEqual(
      invalid('parameter_unsupported'),
    )
  })

  test.each([
    'authorization_code',
    'refresh_token',
    'password',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'Client_Credentials',
    `${TOKEN_EXCHANGE} `,
  ])('the grant %s', async (grant_type) => {
    expect(await codeOf({ ...inBody, grant_type })).toEqual([
      400,
      'unsupported_grant_type',
      'grant_unsupported',
    ])
  })

  test.each<[string, DropInForm, readonly unknown[]]>([
    ['no grant', inBody, invalid('parameter_missing')],
    ['an empty grant', { ...inBody, grant_type: '' }, invalid('parameter_missing')],
    [
      'two grants',
      { ...inBody, grant_type: ['client_credentials', 'client_credentials'] },
      invalid('parameter_repeated'),
    ],
    ['two scopes', { ...credentialsForm, scope: ['a', 'b'] }, invalid('parameter_repeated')],
    [
      'two secrets',
      { ...credentialsForm, client_secret: [inBody.client_secret, 'x'] },
      invalid('parameter_repeated'),
    ],
    [
      'a bad scope',
      { ...credentialsForm, scope: 'a"b' },
      [400, 'invalid_scope', 'scope_malformed'],
    ],
    [
      'a bad resource',
      { ...credentialsForm, resource: '/relative' },
      [400, 'invalid_target', 'target_malformed'],
    ],
    [
      'a bad audience',
      { ...credentialsForm, audience: 'with space' },
      [400, 'invalid_target', 'target_malformed'],
    ],
    [
      'a client_id of 256 characters',
      { ...credentialsForm, client_id: 'x'.repeat(256) },
      invalid('parameter_malformed'),
    ],
  ])('%s', async (_name, form, expected) => {
    expect(await codeOf(form)).toEqual(expected)
  })

  test.each<[string, object, string, string]>([
    ['a DPoP proof', { dpop: 'a.b.c' }, TOKEN_PATH, 'dpop_unsupported'],
    ['a query', {}, `${TOKEN_PATH}?audience=a`, 'query_refused'],
    ['an empty query', {}, `${TOKEN_PATH}?`, 'query_refused'],
    ['another media type', { 'content-type': 'text/plain' }, TOKEN_PATH, 'media_type'],
    [
      'two media types',
      { 'content-type': [FORM['content-type'], 'application/json'] },
      TOKEN_PATH,
      'media_type',
    ],
    [
      'a form that says it is JSON',
      { 'content-type': 'application/json' },
      TOKEN_PATH,
      'body_malformed',
    ],
  ])('%s', async (_name, headers, path, code) => {
    expect(await codeOf(credentialsForm, headers, path)).toEqual(invalid(code))
  })

  test.each(['min_ttl', 'agent', 'username', 'Scope'])(
    'but not the unknown name %s',
    async (name) => {
      expect((await postForm(broker, { ...credentialsForm, [name]: 'x' })).status).toBe(200)
    },
  )

  test('and what is refused is said without a byte of what was sent', async () => {
    const canary = 'canary-7f3a'
    const body = formText({
      ...credentialsForm,
      client_secret: canary,
      scope: canary,
      audience: canary,
    })
    const answer = await sendHttp(broker.port, { method: 'POST', headers: FORM, body })
    expect(answer.status).toBe(401)
    expect(answer.text + broker.log.text()).not.toContain(canary)
  })
})
