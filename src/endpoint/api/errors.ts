import Type, { type TProperties, type TSchema } from 'typebox'
import { apiErrorBody, errorBody, OAuthError, type OAuthErrorCode } from '../../oauth/errors.ts'
import type { ApiAnswer, ApiAnswers } from '../../platform/api.ts'
import { answerHeaders } from './headers.ts'

/** The operations that are told apart by what can go wrong in them. */
export type Place =
  | 'token'
  | 'introspect'
  | 'revoke'
  | 'getUserinfo'
  | 'postUserinfo'
  | 'par'
  | 'loginJson'
  | 'approval'
  | AuthzPlace

type AuthzPlace = 'check' | 'checkMany' | 'permissions'

const token: readonly Place[] = ['token']
const authz: readonly Place[] = ['check', 'checkMany', 'permissions']
const checks: readonly Place[] = ['check', 'checkMany']
const withParameters: readonly Place[] = ['token', 'introspect', 'revoke', 'par']
const withBody: readonly Place[] = [...withParameters, 'postUserinfo', 'loginJson', ...checks]
const withBearer: readonly Place[] = [
  'introspect',
  'getUserinfo',
  'postUserinfo',
  'approval',
  ...authz,
]
const userinfo: readonly Place[] = ['getUserinfo', 'postUserinfo']
const ofTenant: readonly Place[] = [...withParameters, ...userinfo, 'approval', ...authz]
const everywhere: readonly Place[] = [...ofTenant, 'loginJson']
/** Where a refusal has the shape for LumoAuth's SDKs, for no specification gives one. */
const apiShaped: ReadonlySet<Place> = new Set([...authz, 'loginJson', 'approval'])
/** What is wrong with what a client asks of a user. */
const asking: readonly Place[] = ['token', 'par']

/** Where each refusal can be met. A code that is missing here does not compile. */
const places: Readonly<Record<OAuthErrorCode, readonly Place[]>> = {
  tenant_unknown: ofTenant,
  tenant_not_found: ['loginJson'],
  origin_untrusted: ['loginJson'],
  credentials_wrong: ['loginJson'],
  approval_unknown: ['approval'],
  response_type_unsupported: ['par'],
  query_refused: [...withParameters, 'approval', ...authz],
  media_type: everywhere,
  body_too_large: withBody,
  body_malformed: withBody,
  parameter_repeated: [...withParameters, 'loginJson'],
  parameter_missing: [...withParameters, 'loginJson'],
  parameter_malformed: [...withParameters, 'loginJson', ...checks],
  parameter_unsupported: token,
  grant_unsupported: token,
  client_unproven: withParameters,
  client_twice: ofTenant,
  grant_not_allowed: asking,
  scope_malformed: asking,
  scope_not_allowed: asking,
  target_malformed: asking,
  target_not_allowed: asking,
  targets_too_many: asking,
  token_type_unsupported: token,
  proof_refused: token,
  token_refused: token,
  workload_identity_failed: token,
  delegation_not_allowed: token,
  delegation_unlinked: token,
  consent_required: token,
  delegation_too_deep: token,
  grant_invalid: token,
  dpop_invalid: ofTenant,
  dpop_nonce_needed: asking,
  bearer_missing: withBearer,
  bearer_invalid: withBearer,
  bearer_dpop_invalid: withBearer,
  bearer_dpop_mismatch: withBearer,
  bearer_dpop_nonce_needed: withBearer,
  bearer_insufficient: userinfo,
  permission_missing: ['check'],
  permissions_invalid: ['checkMany'],
  api_key_invalid: authz,
  user_not_askable: checks,
  token_hint_unsupported: ['revoke'],
  token_of_another: ['revoke'],
  too_many_requests: everywhere,
  cannot_verify: withParameters,
  store_down: everywhere,
  unexpected: everywhere,
}

/** What a few refusals carry beside the members that all have. */
function moreMembers(code: OAuthErrorCode): TProperties {
  switch (code) {
    case 'consent_required':
      return {
        approval: Type.String({
          description: 'Under which the answer of the user can be asked for.',
        }),
        expires_in: Type.Integer({ description: 'Seconds that the user has to answer.' }),
      }
    case 'delegation_too_deep':
      return { max_depth: Type.Integer({ description: 'How many actors a token may have.' }) }
    default:
      return {}
  }
}

/** Every code, in the order of the catalogue. */
export function describedCodes(): readonly OAuthErrorCode[] {
  return Object.keys(places) as OAuthErrorCode[]
}

/** The refusals of an operation, by status. */
export function refusalsAt(place: Place): ApiAnswers {
  const errors = describedCodes()
    .filter((code) => places[code].includes(place))
    .map((code) => new OAuthError(code))
  const byStatus = Map.groupBy(errors, ({ status }) => String(status))
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, refusalOf(some, place)]))
}

function refusalOf(errors: readonly OAuthError[], place: Place): ApiAnswer {
  const texts = errors.map(({ error, description }) => `- \`${error}\`: ${description}`)
  return {
    description: [...new Set(texts)].join('\n'),
    headers: answerHeaders({
      challenge: errors.some(({ status }) => status === 401) || place.endsWith('Userinfo'),
      retryAfter: errors.some(({ status }) => [429, 503].includes(status)),
    }),
    content: {
      'application/json': apiShaped.has(place) ? apiRefusalSchema(errors) : refusalSchema(errors),
    },
  }
}

/** The shape for LumoAuth's SDKs, where no specification gives one. */
function apiRefusalSchema(errors: readonly OAuthError[]): TSchema {
  const bodies = errors.map(apiErrorBody)
  const oneOf = (name: string) => [...new Set(bodies.map((body) => String(body[name])))]
  return Type.Object(
    {
      error: Type.Enum(oneOf('error'), { description: 'What is wrong.' }),
      error_description: Type.String({ description: 'A sentence for people. It may change.' }),
      code: Type.Enum(oneOf('code'), { description: 'The same, more finely where it can be.' }),
      message: Type.String({ description: 'The sentence once more.' }),
      status: Type.Integer({ description: 'The status of the answer.' }),
    },
    { additionalProperties: false },
  )
}

/** One shape for each set of members. */
export function refusalSchema(errors: readonly OAuthError[]): TSchema {
  const shapes = Map.groupBy(errors, (error) =>
    JSON.stringify([codeOf(error), moreMembers(error.code)]),
  )
  const [only, ...others] = [...shapes.values()].map(shapeOf)
  return only && others.length === 0 ? only : Type.Union([...(only ? [only] : []), ...others])
}

function shapeOf(errors: readonly OAuthError[]): TSchema {
  const [first] = errors
  const code = first && codeOf(first)
  return Type.Object(
    {
      error: Type.Enum([...new Set(errors.map(({ error }) => error))], {
        description:
          'Of RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 8693 section 2.2.2, RFC 8707 section 2 or RFC 9449.',
      }),
      error_description: Type.String({ description: 'A sentence for people. It may change.' }),
      ...(code !== undefined && {
        code: Type.Literal(code, { description: 'What `error` alone would leave open.' }),
      }),
      ...(first && moreMembers(first.code)),
    },
    { additionalProperties: false },
  )
}

function codeOf(error: OAuthError): string | undefined {
  const { code } = errorBody(error)
  return code === undefined ? undefined : String(code)
}

/** A refusal outside of any operation, or one that has no code of the catalogue. */
export function plainRefusal(error: string): TSchema {
  return Type.Object(
    {
      error: Type.Literal(error, { description: 'Always the same here.' }),
      error_description: Type.String({ description: 'A sentence for people. It may change.' }),
    },
    { additionalProperties: false },
  )
}
