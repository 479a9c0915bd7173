import { OAuthError } from '../../oauth/errors.ts'
import { Parameters } from '../../oauth/parameters.ts'
import { authenticateClient } from '../client/authenticate.ts'
import { readCredentials } from '../client/credentials.ts'
import type { RegisteredClient } from '../client/registered.ts'
import type { CallerDependencies } from '../endpoint_caller.ts'
import { readParameters, type RawRequest } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import { grantableOf } from './issue_code.ts'
import { judge } from './request.ts'

/** What is kept for whoever asks must not be much. */
const MAX_LENGTH = 8_192

/** What proves the client, and is nobody's to keep. */
const ofClient = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

/**
 * Takes an authorization request from the client itself (RFC 9126), so that nobody on the way through the browser reads or
 * changes it. All of it is judged at once: what would be refused later is refused here, to whoever can mend it.
 */
export async function push(
  raw: RawRequest,
  tenant: Tenant,
  dependencies: CallerDependencies,
): Promise<object | OAuthError> {
  const parameters = readParameters(raw)
  if (parameters instanceof OAuthError) return parameters
  const client = await pusher(raw, parameters, tenant, dependencies)
  if (client instanceof OAuthError) return client
  // Section 2.1: it cannot stand for another that was pushed.
  if (parameters.one('request_uri') !== undefined) return malformed('request_uri is not taken here')
  const jkt = await keyShown(raw, parameters, tenant)
  if (jkt instanceof OAuthError) return jkt
  const query = queryOf(parameters, client.id, jkt)
  if (query.length > MAX_LENGTH) return malformed('the request is too long')
  const refusal = await refusalOf(query, tenant)
  return refusal ?? tenant.pushed.keep(client.id, query)
}

function queryOf(parameters: Parameters, clientId: string, jkt: string | undefined): string {
  const query = new URLSearchParams(
    parameters
      .names()
      .filter((name) => !ofClient.has(name))
      .flatMap((name) => parameters.all(name).map((value): [string, string] => [name, value])),
  )
  query.set('client_id', clientId)
  if (jkt !== undefined) query.set('dpop_jkt', jkt)
  return query.toString()
}

/** The client authenticates as it does at the token endpoint; a public one can say no more than its name. */
async function pusher(
  { authorization, address }: RawRequest,
  parameters: Parameters,
  tenant: Tenant,
  { assertions, limits }: CallerDependencies,
): Promise<RegisteredClient | OAuthError> {
  const credentials = readCredentials(authorization, parameters)
  if (credentials instanceof OAuthError) return credentials
  const client = credentials
    ? await authenticateClient(credentials, tenant, assertions)
    : await tenant.clients.find(parameters.one('client_id') ?? '')
  if (client instanceof OAuthError) return client
  if (!client || (!credentials && !client.isPublic)) {
    return new OAuthError('client_unproven', { detail: 'no client authentication' })
  }
  // Who only says that they are a client must not use up its budget.
  const charge = credentials
    ? ({ kind: 'client', id: client.id } as const)
    : ({ kind: 'grant', id: `push ${client.id} ${address ?? ''}` } as const)
  return limits.spend({ ...charge, tenant: tenant.slug }) ?? client
}

/** RFC 9449 section 10.1: a proof binds the code to its key, as `dpop_jkt` does. */
async function keyShown(
  { dpop }: RawRequest,
  parameters: Parameters,
  tenant: Tenant,
): Promise<string | undefined | OAuthError> {
  if (dpop === undefined) return undefined
  const place = { tenant: tenant.slug, method: 'POST', urls: tenant.urls('/oauth/par') }
  const proof = await tenant.dpop.verify(dpop, place)
  if (proof instanceof OAuthError) return proof
  const named = parameters.one('dpop_jkt')
  return named === undefined || named === proof.jkt
    ? proof.jkt
    : new OAuthError('dpop_invalid', { reason: 'dpop_key_mismatch' })
}

async function refusalOf(query: string, tenant: Tenant): Promise<OAuthError | undefined> {
  const parameters = Parameters.ofForm(query)
  if (typeof parameters === 'string') return new OAuthError(parameters)
  const read = await judge(parameters, undefined, tenant)
  if (read.kind === 'page') return malformed('redirect_uri is not registered')
  if (read.kind === 'redirect') {
    const { error, description } = read.fault
    return error === 'unsupported_response_type'
      ? new OAuthError('response_type_unsupported')
      : malformed(description)
  }
  const grantable = await grantableOf(read.ask.request, tenant)
  return grantable instanceof OAuthError ? grantable : undefined
}

function malformed(description: string): OAuthError {
  const members = { error_description: description }
  return new OAuthError('parameter_malformed', { detail: description, members })
}
