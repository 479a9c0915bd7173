import type { IncomingMessage } from 'node:http'
import { grantTypes } from '../../oauth/grant_types.ts'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { Parameters } from '../../oauth/parameters.ts'
import { isTokenType, type TokenType } from '../../oauth/token_types.ts'
import { BrokerError } from '../errors.ts'
import { wishIn, type Wish } from '../wish.ts'
import { credentialParameters, readShown, type Shown } from './credentials.ts'

/** What an OAuth client asks for. */
export type Asked =
  | { readonly grant: 'client_credentials'; readonly wish: Wish }
  | { readonly grant: 'token_exchange'; readonly wish: Wish; readonly tokens: ExchangedTokens }

/** The tokens of an exchange (RFC 8693 section 2.1), as they were sent. */
export interface ExchangedTokens {
  readonly subject: ShownToken
  readonly actor: ShownToken | undefined
  readonly requestedType: TokenType | undefined
}

export interface ShownToken {
  readonly token: string
  readonly tokenType: TokenType
}

/** A request whose form is right: who its client says it is, and what is still to be read once that is believed. */
export interface DropInRequest {
  readonly shown: Shown
  /** Which of the two grants, as far as it says one. */
  readonly isExchange: boolean
  asked(): Asked | BrokerError
}

export const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
] as const

/** Names that some specification gives a meaning to, and that nothing here honours: refused, never passed over. */
export const refusedParameters = [
  'assertion',
  'authorization_details',
  'code',
  'code_verifier',
  'jit_task_id',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'subject_issuer',
] as const

export const commonParameters = [
  'grant_type',
  ...credentialParameters,
  'scope',
  'audience',
  'resource',
] as const

/** Reads a request as far as everything else depends on it. */
export function readDropIn(raw: IncomingMessage, body: Buffer): DropInRequest | BrokerError {
  const parameters = readParameters(raw, body)
  if (parameters instanceof BrokerError) return parameters
  if (raw.headers['dpop'] !== undefined) return new BrokerError('dpop_unsupported')
  const shown = readShown(raw.headers.authorization, parameters)
  if (shown instanceof BrokerError) return shown
  const grantType = parameters.one('grant_type')
  return {
    shown,
    isExchange: grantType === grantTypes.token_exchange,
    asked: () => readAsked(grantType, shown, parameters),
  }
}

/** The parameters of a body. Node keeps the first of two equal headers, and which of them was meant cannot be known. */
export function readParameters(raw: IncomingMessage, body: Buffer): Parameters | BrokerError {
  if (raw.url?.includes('?') === true) return new BrokerError('query_refused')
  const { authorization, 'content-type': contentType } = raw.headersDistinct
  if ((authorization?.length ?? 0) > 1) return new BrokerError('client_twice')
  const form = (contentType?.length ?? 0) > 1 ? undefined : bodyFormOf(contentType?.[0])
  if (!form) return new BrokerError('media_type')
  const parameters = Parameters.parse(body, form)
  return typeof parameters === 'string' ? new BrokerError(parameters) : parameters
}

function readAsked(
  grantType: string | undefined,
  { clientId }: Shown,
  parameters: Parameters,
): Asked | BrokerError {
  if (grantType === undefined) return new BrokerError('parameter_missing')
  const isExchange = grantType === grantTypes.token_exchange
  if (!isExchange && grantType !== grantTypes.client_credentials) {
    return new BrokerError('grant_unsupported')
  }
  const refused = new Set<string>([...refusedParameters, ...(isExchange ? [] : exchangeParameters)])
  if (parameters.names().some((name) => refused.has(name))) {
    return new BrokerError('parameter_unsupported')
  }
  // Whoever the workload is: a client library wants a name to be sent, and not every pod knows its own.
  const agent = clientId === 'self' ? undefined : clientId
  const wish = wishIn(parameters, { minTtl: 0, agent })
  if (wish instanceof BrokerError) return wish
  if (!isExchange) return { grant: 'client_credentials', wish }
  const tokens = readTokens(parameters)
  return tokens instanceof BrokerError ? tokens : { grant: 'token_exchange', wish, tokens }
}

function readTokens(parameters: Parameters): ExchangedTokens | BrokerError {
  const subject = readToken(parameters, 'subject_token')
  if (subject instanceof BrokerError) return subject
  if (!subject) return new BrokerError('parameter_missing')
  const actor = readToken(parameters, 'actor_token')
  if (actor instanceof BrokerError) return actor
  const requestedType = parameters.one('requested_token_type')
  if (requestedType !== undefined && !isTokenType(requestedType)) {
    return new BrokerError('token_type_unsupported')
  }
  return { subject, actor, requestedType }
}

/** RFC 8693 section 2.1: the type goes with the token, and never without. */
function readToken(
  parameters: Parameters,
  name: 'subject_token' | 'actor_token',
): ShownToken | undefined | BrokerError {
  const token = parameters.one(name)
  const tokenType = parameters.one(`${name}_type`)
  if (token === undefined && tokenType === undefined) return undefined
  if (token === undefined || tokenType === undefined) return new BrokerError('parameter_missing')
  return isTokenType(tokenType) ? { token, tokenType } : new BrokerError('token_type_unsupported')
}
