import Type, { type TProperties, type TSchema } from 'typebox'
import type { ApiAnswer, ApiAnswers, ApiHeader } from '../../platform/api.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { codesAt, type Place } from './places.ts'

/** Refusals whose `error` is the authority's own. */
const passedOn: ReadonlySet<BrokerErrorCode> = new Set([
  'request_refused',
  'authority_refused',
  'exchange_refused',
])

const ofExchange: ReadonlySet<Place> = new Set(['dropIn', 'exchange', 'handle', 'beginSession'])

/** Tells the refusals of an operation, by status. */
export type Refusals = (place: Place) => ApiAnswers

export function refusalsWhere({ callersProve }: { readonly callersProve: boolean }): Refusals {
  return (place) => {
    const errors = codesAt(place, callersProve).map((code) => new BrokerError(code))
    const byStatus = Map.groupBy(errors, ({ status }) => String(status))
    return Object.fromEntries(
      [...byStatus].map(([status, some]) => [status, refusalOf(some, place)]),
    )
  }
}

function refusalOf(errors: readonly BrokerError[], place: Place): ApiAnswer {
  // Clients of the token endpoint know what it tells beside `error`: it is passed on to them.
  const members =
    ofExchange.has(place) &&
    errors.some(({ code }) => code === 'authority_refused' || code === 'delegation_too_deep')
  const plain = refusalSchema(errors)
  return {
    description: errors.map(({ code, description }) => `- \`${code}\`: ${description}`).join('\n'),
    headers: {
      ...noStore(),
      ...(errors.some(({ status }) => [429, 503].includes(status)) && retryAfter()),
      ...(errors.some(({ status }) => status === 401) && challenge()),
    },
    content: {
      'application/json': members ? Type.Union([plain, refusalWithMembers()]) : plain,
    },
  }
}

export function refusalSchema(errors: readonly BrokerError[]): TSchema {
  const own = [...new Set(errors.map(({ error }) => error))]
  return Type.Object(
    {
      error: errors.some(({ code }) => passedOn.has(code))
        ? errorOfAuthority()
        : Type.Enum(own, { description: 'An error code of OAuth.' }),
      error_description: sentence(),
      code: Type.Enum(
        errors.map(({ code }) => code),
        { description: 'What exactly is wrong. It does not change.' },
      ),
    },
    { additionalProperties: false },
  )
}

/** Of a token exchange: a user who has yet to agree, a chain that is too long. */
function refusalWithMembers(): TSchema {
  return Type.Object(refusalMembers(), { additionalProperties: false })
}

export function refusalMembers(): TProperties {
  return {
    error: errorOfAuthority(),
    error_description: sentence(),
    code: Type.String({ description: "The authority's own code, where it has one." }),
    approval: Type.Optional(
      Type.String({ description: 'Under which the answer of the user can be asked for.' }),
    ),
    expires_in: Type.Optional(
      Type.Integer({ description: 'Seconds that the user has to answer.' }),
    ),
    max_depth: Type.Optional(Type.Integer({ description: 'How many actors a token may have.' })),
  }
}

const errorOfAuthority = () =>
  Type.String({ description: "An error code of OAuth; here also the authority's own." })
const sentence = () => Type.String({ description: 'A sentence for people. It may change.' })

export function noStore(): Readonly<Record<string, ApiHeader>> {
  return {
    'Cache-Control': {
      description: 'Nothing of this may be stored.',
      schema: Type.Literal('no-store'),
    },
  }
}

function retryAfter(): Readonly<Record<string, ApiHeader>> {
  return {
    'Retry-After': {
      description: 'Seconds after which it is worth while to ask again.',
      schema: Type.Integer({ minimum: 0 }),
    },
  }
}

function challenge(): Readonly<Record<string, ApiHeader>> {
  return {
    'WWW-Authenticate': {
      description: 'How a caller proves itself (RFC 6749 section 5.2, RFC 6750 section 3).',
      schema: Type.String(),
    },
  }
}
