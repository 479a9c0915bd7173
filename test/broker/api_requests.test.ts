import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { templateOf } from '../../src/broker/api/paths.ts'
import { describedCodes } from '../../src/broker/api/places.ts'
import { tokenParameters } from '../../src/broker/api/token.ts'
import { readSessionAsk, rememberingAsks } from '../../src/broker/delegation/ask.ts'
import {
  commonParameters,
  exchangeParameters,
  refusedParameters,
} from '../../src/broker/drop_in/request.ts'
import { brokerListener } from '../../src/broker/listener.ts'
import { forwardedPaths } from '../../src/broker/routes/forward.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { wishOfBody } from '../../src/broker/wish.ts'
import { membersOf, type Json } from '../ops/contract.ts'
import { declaredIn } from '../ops/declared.ts'
import { routesOf } from '../ops/routes.ts'
import { ACCESS } from '../fakes/acting.ts'
import { describedBroker } from './described.ts'

const contract = describedBroker()

/** Routes are registered before anything of this is looked at. */
async function servedPaths(): Promise<readonly string[]> {
  const nothing = { metrics: new PrometheusMetrics() }
  const app = brokerListener(nothing as unknown as Parameters<typeof brokerListener>[0])
  await app.ready()
  const routes = routesOf(app)
  await app.close()
  return routes
}

describe('nothing is left out', () => {
  test('of the codes', async () => {
    expect([...describedCodes()].toSorted()).toEqual(
      [...(await declaredIn('broker/errors.ts', 'catalogue'))].toSorted(),
    )
  })

  test('of the parameters', async () => {
    const names = tokenParameters().map(({ name }) => name)
    expect(names.toSorted()).toEqual([...(await declaredIn('broker/wish.ts', 'names'))].toSorted())
    const { TokenRequest } = contract.document.components.schemas
    expect(Object.keys(TokenRequest?.['properties'] as object)).toEqual(names)
  })

  test('of the parameters of OAuth clients', () => {
    const { anyOf } = contract.document.components.schemas['DropInRequest'] as {
      readonly anyOf: readonly { readonly properties: Json }[]
    }
    const [credentials = [], exchange = []] = anyOf.map(({ properties }) => Object.keys(properties))
    expect(credentials.toSorted()).toEqual([...commonParameters].toSorted())
    expect(exchange.toSorted()).toEqual([...commonParameters, ...exchangeParameters].toSorted())
    expect(exchange.filter((name) => refusedParameters.some((one) => one === name))).toEqual([])
  })
})

describe('nothing is described that is not served, nor the other way round', () => {
  const contracts = [
    ['a sidecar', contract],
    ['a broker of other pods', describedBroker({ callersProve: true })],
  ] as const

  test.each(contracts)('at %s', async (_name, described) => {
    const paths = Object.keys(described.document.paths)
    // What is caught so that its guards are those of clients that know no broker.
    const caught = new Set(['/t/{path}', '/orgs/{path}', '/api/{path}'])
    const notHere = described === contract ? [] : forwardedPaths.map(({ path }) => templateOf(path))
    const served = (await servedPaths()).filter((path) => !caught.has(path))
    expect(paths.toSorted()).toEqual(served.filter((path) => !notHere.includes(path)))
  })
})

describe('a request that the description allows is read, and one that it does not is refused', () => {
  test.each([
    '',
    'audience=a',
    'audience=a&audience=b',
    'audience=a+b',
    'audience=%C3%A4',
    `audience=${'a'.repeat(512)}`,
    `audience=${'a'.repeat(513)}`,
    'audience=',
    'resource=https%3A%2F%2Fa.example%2Fb%3Fc',
    'resource=urn:a&resource=urn:b',
    'resource=a',
    'resource=urn:a%23b',
    'scope=a+b',
    'scope=a++b',
    'scope=+a',
    'scope=%5C',
    'scope=',
    'min_ttl=0',
    'min_ttl=999999',
    'min_ttl=1000000',
    'min_ttl=-1',
    'min_ttl=1.5',
    'min_ttl=',
    'scope=a&scope=b',
    `agent=${'a'.repeat(255)}`,
    `agent=${'a'.repeat(256)}`,
    'agents=a',
    'subject_token=a',
  ])('%s', (form) => {
    const type = 'application/x-www-form-urlencoded'
    const read = !(wishOfBody(type, Buffer.from(form)) instanceof BrokerError)
    const faults = contract.requestFaults('POST', '/v1/token', type, membersOf(form))
    expect({ form, described: faults.length === 0 }).toEqual({ form, described: read })
  })
})

describe('a request to act for somebody that the description allows is read, and one that it does not is refused', () => {
  const type = 'application/x-www-form-urlencoded'
  const subject = `subject_token=a.b.c&subject_token_type=${ACCESS}`
  const subjects = [
    '',
    subject,
    'subject_token=a.b.c',
    `subject_token_type=${ACCESS}`,
    `subject_token=&subject_token_type=${ACCESS}`,
    `subject_token=a.b.c&subject_token_type=${ACCESS.replace('access_token', 'jwt')}`,
    `subject_token=a.b.c&subject_token_type=${ACCESS.replace('access_token', 'id_token')}`,
    `subject_token=a.b.c&subject_token_type=`,
    `${subject}&${subject}`,
    `${subject}&session=a`,
    `${subject}&agent=a`,
    `${subject}&agent=${'a'.repeat(256)}`,
    `${subject}&agent=`,
    `${subject}&actor_token=a.b.c`,
    `${subject}&grant_type=a`,
    `${subject}&min_ttl=1`,
    `${subject}&audience=a`,
    'session=a',
  ]
  const targets = [
    'session=a&session=b',
    'session=',
    `session=a&${subject}`,
    'session=a&audience=a&audience=b&resource=urn:c&scope=d+e&agent=f',
    `${subject}&audience=a&audience=b&resource=urn:c&scope=d+e&agent=f`,
    `session=a&audience=${'a'.repeat(513)}`,
    'session=a&resource=a',
    'session=a&scope=%22',
    'session=a&scope=a&scope=b',
    'session=a&colour=a',
  ]
  const rawOf = (url: string) => {
    const headers = { 'content-type': type }
    const raw = { url, headers, headersDistinct: { 'content-type': [type] } }
    return raw as unknown as IncomingMessage
  }
  const read = {
    '/v1/exchange': (form: string) =>
      rememberingAsks()(rawOf('/v1/exchange'), Buffer.from(form)) instanceof BrokerError,
    '/v1/sessions': (form: string) =>
      readSessionAsk(rawOf('/v1/sessions'), Buffer.from(form)) instanceof BrokerError,
  }

  test.each([
    ...subjects.flatMap((form) => [
      { path: '/v1/exchange' as const, form },
      { path: '/v1/sessions' as const, form },
    ]),
    ...targets.map((form) => ({ path: '/v1/exchange' as const, form })),
  ])('$path $form', ({ path, form }) => {
    const isRefused = read[path](form)
    const faults = contract.requestFaults('POST', path, type, membersOf(form))
    expect({ form, described: faults.length === 0 }).toEqual({ form, described: !isRefused })
  })
})
