import Type, { type TObject, type TSchema } from 'typebox'
import {
  audienceSchema,
  bodyOf,
  oneOrMore,
  resourceSchema,
  scopeSchema,
} from '../../oauth/schemas.ts'
import { tokenTypes } from '../../oauth/token_types.ts'
import type { ApiAnswer, ApiOperation } from '../../platform/api.ts'
import { noStore, refusalMembers, type Refusals } from './errors.ts'

const closed = { additionalProperties: false }
const text = (description: string) => Type.String({ minLength: 1, description })
const seconds = (description: string) => Type.Integer({ minimum: 0, description })
const subject = () => ({
  subject_token: text('An access token of the tenant, of whoever is acted for.'),
  subject_token_type: Type.Enum(Object.values(tokenTypes), {
    description: 'What `subject_token` is (RFC 8693 section 3).',
  }),
})
const agent = () =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Client id of the agent, where the workload may be several.',
    }),
  )

/** A subject token, or a session in its place; never both. */
export function exchangeRequest(): TSchema {
  const wanted = {
    audience: Type.Optional(
      oneOrMore(audienceSchema('Logical name of a service that the token is for.')),
    ),
    resource: Type.Optional(
      oneOrMore(resourceSchema('URI of a service that the token is for (RFC 8707).')),
    ),
    scope: Type.Optional(scopeSchema('Scopes, with one space between two of them.')),
    agent: agent(),
  }
  return Type.Union(
    [
      Type.Object({ ...subject(), ...wanted }, { ...closed, description: 'For a subject token.' }),
      Type.Object(
        { session: text('As `/v1/sessions` named it.'), ...wanted },
        { ...closed, description: 'Within a session.' },
      ),
    ],
    { description: 'For whom to act, and what is wanted.' },
  )
}

export function sessionRequest(): TSchema {
  return Type.Object(
    { ...subject(), agent: agent() },
    { ...closed, description: 'For whom to act.' },
  )
}

function members(): Readonly<Record<string, TSchema>> {
  return {
    access_token: text('The token.'),
    issued_token_type: Type.Enum(Object.values(tokenTypes), { description: 'What it is.' }),
    token_type: Type.Literal('Bearer', { description: 'How it is used (RFC 6750).' }),
    expires_in: seconds('Seconds that are left of it now.'),
    scope: Type.String({ description: 'The scopes that it has; may be empty.' }),
    sub: Type.String({ description: 'Who is acted for.' }),
    act: Type.Ref('ActClaim'),
    actor_chain: Type.Array(Type.String(), {
      minItems: 1,
      description: 'Those who act, in the order in which they came: the workload is the last.',
    }),
  }
}

/** As a token has it, one in the other. */
export function actClaim(): TObject {
  return Type.Object(
    {
      sub: Type.String({ description: 'Who acts.' }),
      iss: Type.Optional(Type.String({ description: 'Who says that this is its name.' })),
      client_id: Type.Optional(Type.String({ description: 'The client that it is.' })),
      act: Type.Optional(Type.Ref('ActClaim')),
    },
    {
      ...closed,
      description:
        'The claim `act` of the token (RFC 8693 section 4.1): the workload, and inside it who acted before.',
    },
  )
}

/** RFC 8693 section 2.2.1, and who acts for whom. */
export function exchangeAnswer(): TObject {
  return Type.Object(members(), { ...closed, description: 'A token on behalf of somebody.' })
}

export function pendingAnswer(): TSchema {
  return Type.Object(
    {
      status: Type.Literal('pending', { description: 'The user has not decided.' }),
      handle: text('What to ask by, at `/v1/exchange/{handle}`.'),
      approval: text('What the authority calls it that the user is asked.'),
      expires_in: seconds('Seconds that the user has left to decide.'),
    },
    { ...closed, description: 'The user has yet to agree.' },
  )
}

export function settledAnswer(): TSchema {
  return Type.Union(
    [
      Type.Object(
        { status: Type.Literal('approved', { description: 'The user agreed.' }), ...members() },
        { ...closed, description: 'The token that came of it.' },
      ),
      Type.Object(
        {
          status: Type.Enum(['denied', 'expired', 'failed'], {
            description:
              'The user did not agree, or not in time; or did, and no token came of it all the same.',
          }),
          ...refusalMembers(),
        },
        { ...closed, description: 'No token comes of it.' },
      ),
    ],
    { description: 'What became of it.' },
  )
}

export function sessionAnswer(): TSchema {
  return Type.Object(
    {
      session: text('What it is called; it is worth nothing to another pod.'),
      expires_in: seconds('Seconds after which it ends in any case.'),
      idle_timeout: seconds('Seconds without use after which it ends before that.'),
      sub: Type.String({ description: 'Who is acted for.' }),
    },
    { ...closed, description: 'A session.' },
  )
}

type Common = Pick<ApiOperation, 'parameters' | 'security'>

/** Acting for users and other workloads. */
export function delegationOperations(
  common: Common,
  refusalsAt: Refusals,
): readonly ApiOperation[] {
  return [...exchangeOperations(common, refusalsAt), ...sessionOperations(common, refusalsAt)]
}

function exchangeOperations(common: Common, refusalsAt: Refusals): readonly ApiOperation[] {
  const pending: ApiAnswer = {
    description: 'The user has yet to agree; ask by the handle, once a second at most.',
    headers: { ...noStore(), ...waiting() },
    content: { 'application/json': Type.Ref('PendingAnswer') },
  }
  return [
    {
      ...common,
      id: 'postExchange',
      method: 'post',
      path: '/v1/exchange',
      summary: 'A token by which the workload acts for somebody',
      body: {
        description: 'For whom, and what is wanted.',
        required: true,
        content: bodyOf(Type.Ref('ExchangeRequest')),
      },
      answers: {
        200: answered('A token, from the cache or just issued.', 'ExchangeAnswer'),
        202: pending,
        ...refusalsAt('exchange'),
      },
    },
    {
      ...common,
      id: 'getExchange',
      method: 'get',
      path: '/v1/exchange/{handle}',
      summary: 'What became of a question to a user',
      parameters: [...common.parameters, named('handle')],
      answers: {
        200: answered('What became of it.', 'SettledAnswer'),
        202: pending,
        ...refusalsAt('handle'),
      },
    },
  ]
}

function sessionOperations(common: Common, refusalsAt: Refusals): readonly ApiOperation[] {
  return [
    {
      ...common,
      id: 'postSession',
      method: 'post',
      path: '/v1/sessions',
      summary: 'Begins to act for somebody',
      body: {
        description: 'For whom.',
        required: true,
        content: bodyOf(Type.Ref('SessionRequest')),
      },
      answers: {
        201: {
          ...answered('The session.', 'SessionAnswer'),
          headers: { ...noStore(), Location: locationOf('the session') },
        },
        ...refusalsAt('beginSession'),
      },
    },
    {
      ...common,
      id: 'deleteSession',
      method: 'delete',
      path: '/v1/sessions/{session}',
      summary: 'Ends it: its tokens are dropped, and revoked',
      parameters: [...common.parameters, named('session')],
      answers: {
        204: { description: 'It has ended.', headers: noStore(), content: {} },
        ...refusalsAt('endSession'),
      },
    },
  ]
}

function answered(description: string, schema: string): ApiAnswer {
  return {
    description,
    headers: noStore(),
    content: { 'application/json': Type.Ref(schema) },
  }
}

function named(name: string) {
  return {
    name,
    in: 'path',
    required: true,
    description: 'As the broker named it.',
    schema: Type.String({ minLength: 1, maxLength: 100 }),
  } as const
}

function locationOf(what: string) {
  return { description: `Path of ${what}.`, schema: Type.String() }
}

function waiting() {
  return {
    Location: locationOf('the handle'),
    'Retry-After': {
      description: 'Seconds to wait before the next question.',
      schema: Type.Integer({ minimum: 1 }),
    },
  }
}
