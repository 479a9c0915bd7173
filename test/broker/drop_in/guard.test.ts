import type { OutgoingHttpHeaders } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DropInGuard } from '../../../src/broker/drop_in/guard.ts'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import {
  byBasic,
  credentialsForm,
  guarded,
  guardValue,
  inBody,
  postForm,
  type DropInForm,
} from '../../fakes/drop_in.ts'
import { basic, type Answer } from '../../fakes/running_authority.ts'

const grant = { grant_type: 'client_credentials' }
const challenge = 'Basic realm="lumo-broker"'
const ASSERTION = {
  client_assertion: guardValue,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
}

const outcomeOf = ({ status, json, headers }: Answer) => ({
  status,
  error: json['error'],
  code: json['code'],
  challenge: headers['www-authenticate'],
})

const unproven = { status: 401, error: 'invalid_client', code: 'client_unproven' }
const twice = { status: 400, error: 'invalid_request', code: 'client_twice' }

interface Case {
  readonly name: string
  readonly form?: DropInForm
  readonly headers?: OutgoingHttpHeaders
}

/** A broker with this guard for the tests of a block. */
function brokerWith(dropIn: DropInGuard) {
  let broker: ListeningBroker
  beforeAll(async () => {
    broker = await listeningBroker({ dropIn })
  })
  afterAll(() => broker.close())
  return {
    send: async ({ form = grant, headers = {} }: Case) => postForm(broker, form, headers),
    asked: () => broker.authority.asked.length,
  }
}

describe('a guard value', () => {
  const { send, asked } = brokerWith(guarded)

  test.each<Case>([
    { name: 'by Basic', headers: byBasic },
    {
      name: 'by Basic, its scheme in another case',
      headers: { authorization: byBasic.authorization.replace('Basic', 'bAsIc') },
    },
    { name: 'by Basic, form-encoded', headers: basic('self', guardValue.replace('Z', '%5A')) },
    {
      name: 'by Basic beside an equal client_id',
      headers: byBasic,
      form: { ...grant, client_id: 'self' },
    },
    { name: 'in the body', form: credentialsForm },
    { name: 'for an agent by its name', form: { ...credentialsForm, client_id: 'doc-analyst' } },
  ])('is accepted $name', async (given) => {
    expect((await send(given)).status).toBe(200)
  })

  test.each<Case & { readonly refusal: object }>([
    { name: 'none', refusal: unproven },
    { name: 'a client_id alone', form: { ...grant, client_id: 'self' }, refusal: unproven },
    {
      name: 'an empty one',
      form: { ...grant, client_id: 'self', client_secret: '' },
      refusal: unproven,
    },
    {
      name: 'an empty one by Basic',
      headers: basic('self', ''),
      refusal: { ...unproven, challenge },
    },
    {
      name: 'another',
      form: { ...credentialsForm, client_secret: `${guardValue}x` },
      refusal: unproven,
    },
    {
      name: 'a beginning of it',
      form: { ...credentialsForm, client_secret: guardValue.slice(0, -1) },
      refusal: unproven,
    },
    {
      name: 'another case',
      form: { ...credentialsForm, client_secret: guardValue.toLowerCase() },
      refusal: unproven,
    },
    {
      name: 'white space behind it',
      form: { ...credentialsForm, client_secret: `${guardValue} ` },
      refusal: unproven,
    },
    {
      name: 'another by Basic',
      headers: basic('self', 'wrong'),
      refusal: { ...unproven, challenge },
    },
    {
      name: 'as the client_id',
      headers: basic(guardValue, 'self'),
      refusal: { ...unproven, challenge },
    },
    {
      name: 'Basic without a colon',
      headers: { authorization: `Basic ${Buffer.from(guardValue).toString('base64')}` },
      refusal: { ...unproven, challenge },
    },
    {
      name: 'Basic with a stray percent sign',
      headers: basic('self', `${guardValue}%`),
      refusal: { ...unproven, challenge },
    },
    {
      name: 'as a bearer token',
      headers: { authorization: `Bearer ${guardValue}` },
      refusal: { ...unproven, challenge },
    },
    {
      name: 'in the header of the other routes',
      headers: { 'lumo-broker': 'true' },
      refusal: unproven,
    },
    {
      name: 'as an assertion',
      form: { ...grant, client_id: 'self', ...ASSERTION },
      refusal: { ...unproven, code: 'assertion_unsupported' },
    },
    { name: 'both ways', headers: byBasic, form: credentialsForm, refusal: twice },
    {
      name: 'both ways, both wrong',
      headers: basic('self', 'x'),
      form: { ...grant, client_secret: 'x' },
      refusal: twice,
    },
    {
      name: 'by Basic beside another client_id',
      headers: byBasic,
      form: { ...grant, client_id: 'other' },
      refusal: twice,
    },
    {
      name: 'in the body beside an assertion',
      form: { ...credentialsForm, ...ASSERTION },
      refusal: twice,
    },
    {
      name: 'without a client_id',
      form: { ...grant, client_secret: guardValue },
      refusal: { ...unproven, code: 'client_id_missing' },
    },
    {
      name: 'by Basic with an empty client_id',
      headers: basic('', guardValue),
      refusal: { ...unproven, code: 'client_id_missing' },
    },
  ])('is asked for: $name', async ({ refusal, ...given }) => {
    const before = asked()
    expect(outcomeOf(await send(given))).toEqual({ challenge: undefined, ...refusal })
    expect(asked()).toBe(before)
  })

  test('is asked for before the grant is looked at, and in JSON too', async () => {
    const form = { ...inBody, client_secret: 'wrong', grant_type: 'password', username: 'x' }
    expect(outcomeOf(await send({ name: '', form }))).toMatchObject(unproven)
  })

  test('two Authorization headers are none', async () => {
    const headers = { authorization: [byBasic.authorization, byBasic.authorization] as never }
    expect(outcomeOf(await send({ name: '', headers }))).toMatchObject(twice)
  })
})

describe('no guard', () => {
  const { send } = brokerWith({ kind: 'none' })

  test.each<Case>([
    { name: 'no secret', form: { ...grant, client_id: 'self' } },
    {
      name: 'any secret',
      form: { ...credentialsForm, client_secret: 'whatever a library insists on' },
    },
    { name: 'any secret by Basic', headers: basic('self', 'whatever') },
    { name: 'an empty secret by Basic', headers: basic('self', '') },
  ])('is passed with $name', async (given) => {
    expect((await send(given)).status).toBe(200)
  })

  test.each<Case & { readonly code: string }>([
    { name: 'no client_id', code: 'client_id_missing' },
    { name: 'an assertion', form: { ...grant, ...ASSERTION }, code: 'assertion_unsupported' },
  ])('still refuses $name', async ({ code, ...given }) => {
    expect(outcomeOf(await send(given))).toMatchObject({ ...unproven, code })
  })
})

describe('drop-in that is off', () => {
  const { send } = brokerWith({ kind: 'off' })

  test.each<Case>([
    { name: 'without credentials' },
    { name: 'with a secret', form: credentialsForm },
    { name: 'with an assertion', form: { ...grant, ...ASSERTION } },
  ])('says what to configure, $name', async (given) => {
    const answer = await send(given)
    expect(outcomeOf(answer)).toMatchObject({
      status: 403,
      error: 'access_denied',
      code: 'drop_in_off',
    })
    expect(answer.json['error_description']).toContain('broker.dropIn')
  })
})

describe('the other guards', () => {
  let broker: ListeningBroker | undefined

  afterEach(() => broker?.close())

  test.each([
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Anything: 1',
    'Forwarded: for=10.0.0.1',
    'Via: 1.1 proxy',
    'Origin: http://attacker.example',
    'Referer: http://attacker.example/',
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Dest: empty',
    'Sec-Fetch-User: ?1',
  ])('refuse %s, whatever the secret', async (header) => {
    broker = await listeningBroker({ dropIn: { kind: 'none' } })
    const [name = '', value = ''] = header.split(': ')
    const answer = await postForm(broker, credentialsForm, { [name]: value })
    expect(outcomeOf(answer)).toMatchObject({ status: 403, code: 'forwarded_request' })
    expect(broker.authority.asked).toEqual([])
  })

  test.each(['rebind.attacker.example', '127.0.0.1', 'localhost'])(
    'refuse Host %s',
    async (host) => {
      broker = await listeningBroker({ dropIn: { kind: 'none' } })
      const answer = await postForm(broker, credentialsForm, { host })
      expect(outcomeOf(answer)).toMatchObject({ status: 403, code: 'host_not_allowed' })
    },
  )

  test('come before a body that is too large, and none asks for the header of the other routes', async () => {
    broker = await listeningBroker({ dropIn: guarded })
    const form = { ...credentialsForm, filler: 'x'.repeat(70_000) }
    expect(outcomeOf(await postForm(broker, form, { via: '1.1 p' }))).toMatchObject({
      code: 'forwarded_request',
    })
    expect(outcomeOf(await postForm(broker, form))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    })
  })

  test("what they refuse takes nothing of the workload's rate", async () => {
    broker = await listeningBroker({ dropIn: guarded, rate: { perSecond: 1, burst: 1 } })
    for (let count = 0; count < 3; count += 1)
      await postForm(broker, { ...credentialsForm, client_secret: 'x' })
    expect((await postForm(broker, credentialsForm)).status).toBe(200)
    const over = await postForm(broker, credentialsForm)
    expect(outcomeOf(over)).toMatchObject({ status: 429, code: 'rate_limited' })
    expect(over.headers['retry-after']).toBe('1')
  })
})
