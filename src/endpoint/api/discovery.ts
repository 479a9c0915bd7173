import Type, { type TSchema } from 'typebox'
import { signatureAlgorithms } from '../../oauth/signature_algorithms.ts'
import type { ApiAnswers, ApiOperation } from '../../platform/api.ts'
import type { metadataOf } from '../metadata.ts'
import { plainRefusal } from './errors.ts'
import { fromAnywhere } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'

const url = (description: string) => Type.String({ minLength: 1, format: 'uri', description })
const list = (description: string) => Type.Array(Type.String(), { description })

/** RFC 8414 section 2 and OpenID Connect Discovery 1.0 section 3. A member of the document that is not here does not compile. */
export function metadataAnswer(): TSchema {
  const members: Readonly<Record<keyof ReturnType<typeof metadataOf>, TSchema>> = {
    issuer: url('The issuer of the tenant.'),
    authorization_endpoint: url('Where people sign in and agree.'),
    token_endpoint: url('The token endpoint.'),
    userinfo_endpoint: url('Userinfo.'),
    introspection_endpoint: url('Introspection.'),
    revocation_endpoint: url('Revocation.'),
    jwks_uri: url('The keys.'),
    response_types_supported: list('What the authorization endpoint answers with.'),
    response_modes_supported: list('How it answers.'),
    authorization_response_iss_parameter_supported: Type.Boolean({
      description: 'Whether it names itself in its answers (RFC 9207).',
    }),
    prompt_values_supported: list('What a client may have it ask of people.'),
    request_uri_parameter_supported: Type.Boolean({
      description: 'Whether `request_uri` is taken.',
    }),
    pushed_authorization_request_endpoint: url('Where clients push requests (RFC 9126).'),
    require_pushed_authorization_requests: Type.Boolean({ description: 'Whether they have to.' }),
    end_session_endpoint: url('Where people sign out.'),
    subject_types_supported: list('Kinds of `sub`.'),
    id_token_signing_alg_values_supported: list('Algorithms of ID tokens.'),
    grant_types_supported: list('The grants.'),
    token_endpoint_auth_methods_supported: list('How clients prove themselves.'),
    token_endpoint_auth_signing_alg_values_supported: list('Algorithms of client assertions.'),
    introspection_endpoint_auth_methods_supported: list('The same, at introspection.'),
    introspection_endpoint_auth_signing_alg_values_supported: list('The same, at introspection.'),
    revocation_endpoint_auth_methods_supported: list('The same, at revocation.'),
    revocation_endpoint_auth_signing_alg_values_supported: list('The same, at revocation.'),
    code_challenge_methods_supported: list('Methods of PKCE.'),
    dpop_signing_alg_values_supported: list('Algorithms of DPoP proofs.'),
    claims_supported: list('Claims of ID tokens and of userinfo.'),
    resource_indicators_supported: Type.Boolean({ description: 'Whether `resource` is honoured.' }),
  }
  return Type.Object(
    { ...members },
    { additionalProperties: false, description: 'What works at a tenant, and where.' },
  )
}

const closed = { additionalProperties: false }

/** RFC 7517 section 5. Public keys only: no member of a private one is described. */
export function keySetAnswer(): TSchema {
  const keys = Type.Array(
    Type.Union([
      publicKey('RSA', { n: 'Modulus.', e: 'Exponent.' }),
      publicKey('EC', { crv: 'Curve.', x: 'X of the point.', y: 'Y of the point.' }),
      publicKey('OKP', { crv: 'Curve.', x: 'The key.' }),
    ]),
    { description: 'The keys that sign, have signed, or will.' },
  )
  return Type.Object({ keys }, { ...closed, description: 'The public keys of a tenant.' })
}

/** RFC 7518 section 6, RFC 8037 section 2. */
function publicKey(kty: string, members: Readonly<Record<string, string>>): TSchema {
  const own = Object.entries(members).map(
    ([name, description]) => [name, Type.String({ description })] as const,
  )
  return Type.Object(
    {
      kty: Type.Literal(kty, { description: 'Kind of the key.' }),
      ...(Object.fromEntries(own) as Record<string, TSchema>),
      kid: Type.String({ description: 'Its thumbprint (RFC 7638).' }),
      use: Type.Literal('sig', { description: 'It signs.' }),
      alg: Type.Enum([...signatureAlgorithms], {
        description: 'The algorithm that it signs with.',
      }),
    },
    closed,
  )
}

const documents = [
  { file: 'openid-configuration', id: 'OpenidConfiguration', answer: 'Metadata', inserted: true },
  {
    file: 'oauth-authorization-server',
    id: 'AuthorizationServerMetadata',
    answer: 'Metadata',
    inserted: true,
  },
  { file: 'jwks.json', id: 'KeySet', answer: 'KeySet', inserted: false },
] as const

/** At every place where a client computes them (RFC 8414 section 3.1). */
export function discoveryOperations(): readonly ApiOperation[] {
  return documents.flatMap(({ file, id, answer, inserted }) => [
    operation(`/.well-known/${file}`, `get${id}AtOrigin`, answer),
    ...tenantPrefixes().flatMap(({ prefix, suffix }) => [
      operation(`${prefix}/.well-known/${file}`, `get${id}${suffix}`, answer),
      ...(inserted
        ? [operation(`/.well-known/${file}${prefix}`, `get${id}${suffix}Inserted`, answer)]
        : []),
    ]),
  ])
}

function operation(path: string, id: string, answer: 'Metadata' | 'KeySet'): ApiOperation {
  const ofTenant = path.includes('{tenant}')
  return {
    id,
    method: 'get',
    path,
    summary: answer === 'KeySet' ? 'The public keys' : 'What works, and where',
    description: ofTenant
      ? 'RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4.'
      : 'The same for the one tenant whose issuer is the bare origin.',
    security: [],
    parameters: ofTenant ? [tenantParameter()] : [],
    answers: answers(answer),
  }
}

function answers(answer: 'Metadata' | 'KeySet'): ApiAnswers {
  return {
    200: {
      description: 'The document.',
      headers: {
        'Cache-Control': {
          description: 'How long it may be kept.',
          schema: Type.Literal('public, max-age=300'),
        },
        ...fromAnywhere(),
      },
      content: { 'application/json': Type.Ref(answer) },
    },
    404: {
      description: '- `invalid_tenant`: There is no such tenant.',
      headers: fromAnywhere(),
      content: { 'application/json': plainRefusal('invalid_tenant') },
    },
  }
}
