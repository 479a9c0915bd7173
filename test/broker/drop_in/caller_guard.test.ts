import { afterEach, describe, expect, test } from 'vitest'
import type { Calling, Callers } from '../../../src/broker/caller/callers.ts'
import type { Workload } from '../../../src/broker/caller/workload.ts'
import type { DropInGuard } from '../../../src/broker/drop_in/guard.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import {
  agentClaims,
  exchangeForm,
  guarded,
  guardValue,
  postForm,
  tokenOf,
  type DropInForm,
} from '../../fakes/drop_in.ts'
import { basic } from '../../fakes/running_authority.ts'

const podToken = 'header.payload.signature'
const grant = { grant_type: 'client_credentials' }
const assertion = {
  client_assertion: podToken,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
}

/** Callers of which each shows a token; what else is shown is refused as it is told. */
class FakeCallers implements Callers {
  readonly shown: (readonly [token: string, address: string | undefined])[] = []
  refusal = new BrokerError('caller_unproven')
  readonly #workload: Workload

  constructor(workload: Workload) {
    this.#workload = workload
  }

  of(): Calling {
    return new BrokerError('caller_missing')
  }

  readonly byToken = (token: string, address: string | undefined): Promise<Calling> => {
    this.shown.push([token, address])
    return Promise.resolve(token === podToken ? this.#workload : this.refusal)
  }

  onGone(): void {}

  workloads() {
    return [this.#workload]
  }
}

let broker: ListeningBroker | undefined

afterEach(() => broker?.close())

async function start(dropIn: DropInGuard = { kind: 'caller' }) {
  let callers: FakeCallers | undefined
  broker = await listeningBroker({
    dropIn,
    callersOf: (workload) => (callers = new FakeCallers(workload)),
  })
  return { broker, callers: callers as unknown as FakeCallers }
}

interface Case {
  readonly name: string
  readonly form?: DropInForm
  readonly headers?: { readonly authorization: string }
}

const accepted: readonly Case[] = [
  { name: 'as the secret by Basic', headers: basic('self', podToken) },
  {
    name: 'as the secret in the body',
    form: { ...grant, client_id: 'self', client_secret: podToken },
  },
  { name: 'as an assertion', form: { ...grant, client_id: 'self', ...assertion } },
  // RFC 7521 section 4.2: an assertion says itself whose it is.
  { name: 'as an assertion without client_id', form: { ...grant, ...assertion } },
]

test.each(accepted)("the caller's own token $name", async ({ form = grant, headers }) => {
  const { broker, callers } = await start()
  expect((await postForm(broker, form, headers)).status).toBe(200)
  expect(callers.shown).toEqual([[podToken, '127.0.0.1']])
})

const refused: readonly (Case & { readonly code: string; readonly status: number })[] = [
  { name: 'nothing', status: 401, code: 'client_unproven' },
  {
    name: 'a client_id alone',
    form: { ...grant, client_id: 'self' },
    status: 401,
    code: 'client_unproven',
  },
  { name: 'another token', headers: basic('self', 'x'), status: 401, code: 'client_unproven' },
  {
    name: 'a guard value',
    headers: basic('self', guardValue),
    status: 401,
    code: 'client_unproven',
  },
  {
    name: 'the token as bearer',
    headers: { authorization: `Bearer ${podToken}` },
    status: 401,
    code: 'client_unproven',
  },
  {
    name: 'the token without client_id',
    form: { ...grant, client_secret: podToken },
    status: 401,
    code: 'client_id_missing',
  },
  {
    name: 'the token twice',
    form: { ...grant, client_id: 'self', client_secret: podToken, ...assertion },
    status: 400,
    code: 'client_twice',
  },
  {
    name: 'an assertion of another type',
    form: { ...grant, ...assertion, client_assertion_type: 'urn:x' },
    status: 401,
    code: 'client_unproven',
  },
  {
    name: 'an assertion without type',
    form: { ...grant, client_assertion: podToken },
    status: 400,
    code: 'parameter_missing',
  },
  {
    name: 'an exchange without a token of the caller',
    form: exchangeForm(tokenOf(agentClaims), { client_id: undefined, client_secret: undefined }),
    status: 401,
    code: 'client_unproven',
  },
]

test.each(refused)('refused: $name', async ({ form = grant, headers, status, code }) => {
  const { broker } = await start()
  const answer = await postForm(broker, form, headers)
  expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status, code })
  expect(broker.authority.asked).toEqual([])
})

describe('what is said of a token that proves nothing', () => {
  test.each([
    ['caller_unproven', 401, 'invalid_client', 'client_unproven'],
    ['caller_missing', 401, 'invalid_client', 'client_unproven'],
    ['caller_elsewhere', 403, 'access_denied', 'caller_elsewhere'],
    ['caller_not_pod', 403, 'access_denied', 'caller_not_pod'],
    ['cannot_verify', 503, 'temporarily_unavailable', 'cannot_verify'],
    ['rate_limited', 429, 'too_many_requests', 'rate_limited'],
  ] as const)('%s', async (found, status, error, code) => {
    const { broker, callers } = await start()
    callers.refusal = new BrokerError(found, { retryAfterSeconds: 3 })
    const answer = await postForm(broker, grant, basic('self', 'x'))
    expect([answer.status, answer.json['error'], answer.json['code']]).toEqual([
      status,
      error,
      code,
    ])
    expect(answer.headers['www-authenticate']).toBe(
      status === 401 ? 'Basic realm="lumo-broker"' : undefined,
    )
  })
})

test.each<DropInGuard>([guarded, { kind: 'none' }])(
  'a guard of kind $kind counts for nothing where callers prove themselves',
  async (guard) => {
    const { broker } = await start(guard)
    expect((await postForm(broker, grant, basic('self', guardValue))).status).toBe(401)
    expect((await postForm(broker, grant, basic('self', podToken))).status).toBe(200)
  },
)

test.each([
  ['GET', '/t/acme-corp/api/v1/agents/me'],
  ['GET', '/t/acme-corp/api/v1/oauth/userinfo'],
  ['POST', '/t/acme-corp/api/v1/oauth/revoke'],
  ['POST', '/api/v1/authz/check'],
])('nothing is passed on: %s %s', async (method, path) => {
  const { broker } = await start()
  const answer = await fetch(`http://${broker.host}${path}`, {
    method,
    headers: { authorization: 'Bearer a.b.c' },
  })
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({ code: 'forwarding_elsewhere' })
  expect(broker.link.asked).toEqual([])
})
