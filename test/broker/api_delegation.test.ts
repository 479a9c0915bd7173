import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codesAt } from '../../src/broker/api/places.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { consentMissing } from '../fakes/delegating.ts'
import {
  actingBroker,
  delegationPlaces,
  DOCS,
  GUARD,
  type ActingBroker,
  type DelegationPlace,
} from './delegation_places.ts'
import { troubleAt } from './delegation_troubles.ts'
import { describedBroker, expectAsDescribed, JSON_TYPE, sendTo } from './described.ts'

const contract = describedBroker()
/** Where callers show a proof of their own. */
const ofNode = describedBroker({ callersProve: true })

/** One that nothing changes for good, for what needs no other. */
let standing: ActingBroker

beforeAll(async () => {
  standing = await actingBroker()
})

afterAll(() => standing.close())

/** With a broker of its own where it is changed. */
async function withBroker(
  isChanged: boolean,
  use: (broker: ActingBroker) => Promise<void>,
): Promise<void> {
  if (!isChanged) return use(standing)
  const broker = await actingBroker()
  try {
    await use(broker)
  } finally {
    await broker.close()
  }
}

type Form = Readonly<Record<string, string>>

interface Served {
  readonly name: string
  readonly place: DelegationPlace
  readonly status: number
  readonly code?: string
  readonly given?: (broker: ActingBroker) => unknown
  readonly more?: Form | ((broker: ActingBroker) => Form)
}

const within = ({ session }: ActingBroker): Form => ({ session })
const asksAgain = (broker: ActingBroker): void => {
  broker.authority.fail(consentMissing('an-approval'))
}
const refuses = (error: string, members: Readonly<Record<string, string | number>>) => {
  return ({ authority }: ActingBroker): void => {
    authority.fail(new ExchangeFailure('refused', error, '403', undefined, members))
  }
}

const served: readonly Served[] = [
  { name: 'a token', place: 'exchange', status: 200 },
  { name: 'a token within a session', place: 'exchange', status: 200, more: within },
  {
    name: 'a token with all that can be asked for',
    place: 'exchange',
    status: 200,
    more: { resource: 'urn:a', scope: 'read:documents', agent: 'doc-analyst' },
  },
  {
    name: 'a token with others who act',
    place: 'exchange',
    status: 200,
    given: ({ actFor }) => {
      actFor({ act: { sub: 'agent:orchestrator', act: { sub: 'agent:first' } } })
    },
  },
  {
    name: 'a token for less than one that it holds',
    place: 'exchange',
    status: 200,
    given: ({ actFor }) => {
      actFor({ client_id: 'doc-analyst', act: { sub: 'agent:doc-analyst' } })
    },
  },
  { name: 'a question to the user', place: 'exchange', status: 202, given: asksAgain },
  {
    name: 'a chain that is too long for the authority',
    place: 'exchange',
    status: 403,
    code: 'authority_refused',
    given: refuses('delegation_depth_exceeded', { max_depth: 3 }),
  },
  {
    name: 'a user who is not asked',
    place: 'exchange',
    status: 403,
    code: 'consent_required',
    given: refuses('access_denied', { code: 'consent_required' }),
  },
  {
    name: 'a user who has yet to agree',
    place: 'handle',
    status: 202,
  },
  {
    name: 'a user who agreed',
    place: 'handle',
    status: 200,
    given: ({ decide }) => {
      decide({ status: 'approved' })
    },
  },
  {
    name: 'a user who is asked once more',
    place: 'handle',
    status: 202,
    given: (some) => {
      some.decide({ status: 'approved' })
      asksAgain(some)
    },
  },
  { name: 'a session', place: 'beginSession', status: 201 },
  { name: 'a session of an agent', place: 'beginSession', status: 201, more: { agent: 'a' } },
  { name: 'the end of a session', place: 'endSession', status: 204 },
  {
    name: 'a session that was ended',
    place: 'endSession',
    status: 404,
    code: 'session_unknown',
    given: ({ ask }) => ask('endSession'),
  },
]

test.each(served)('answered as it is described: $name: $status', (served) =>
  withBroker(true, async (broker) => {
    const { place, given, more = {}, status, code } = served
    await given?.(broker)
    const request = broker.request(place, typeof more === 'function' ? more(broker) : more)
    const row = { name: '', status, ...(code !== undefined && { code }), ...request }
    await expectAsDescribed(row, broker, contract)
  }),
)

test.each<[place: DelegationPlace, more: Form]>([
  ['exchange', { audience: DOCS }],
  ['beginSession', {}],
])('JSON is read as a form is: %s', async (place, more) => {
  const { body = '', headers, ...wish } = standing.request(place, more)
  const json = JSON.stringify(Object.fromEntries(new URLSearchParams(String(body))))
  const row = { ...wish, body: json, headers: { ...headers, ...JSON_TYPE } }
  const status = place === 'exchange' ? 200 : 201
  await expectAsDescribed({ name: '', status, ...row }, standing, contract)
})

test.each([
  ['GET', '/v1/exchange', 'POST'],
  ['POST', '/v1/exchange/a', 'GET'],
  ['DELETE', '/v1/exchange/a', 'GET'],
  ['GET', '/v1/sessions', 'POST'],
  ['GET', '/v1/sessions/a', 'DELETE'],
  ['POST', '/v1/sessions/a', 'DELETE'],
])('%s %s: 405, as BrokerRefusal', async (method, path, allow) => {
  const answer = await sendTo(standing, { method, path, headers: GUARD })
  const { BrokerRefusal = {} } = contract.document.components.schemas
  expect([answer.status, answer.headers['allow']]).toEqual([405, allow])
  expect(contract.schemaFaults(BrokerRefusal, answer.json)).toEqual([])
})

describe('every refusal is met where it is said, as it is described:', () => {
  const rows = delegationPlaces.flatMap((place) => {
    const common = codesAt(place, false)
    return codesAt(place, true).map((code) => ({
      place,
      code,
      described: common.includes(code) ? contract : ofNode,
    }))
  })

  test.each(rows)('$place: $code', ({ place, code, described }) => {
    const { calling, given, sent, status } = troubleAt(place, code) ?? {}
    return withBroker(given !== undefined, async (broker) => {
      await given?.(broker)
      broker.decide({ status: 'approved' })
      broker.callAs(calling?.(broker))
      const request = broker.request(place)
      const refused = { status: status ?? new BrokerError(code).status, code }
      const row = { name: '', ...refused, ...(sent?.(request, broker) ?? request) }
      try {
        await expectAsDescribed(row, broker, described)
      } finally {
        broker.callAs(undefined)
      }
    })
  })
})
