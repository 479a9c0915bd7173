import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { Parameters } from '../../oauth/parameters.ts'
import { isTokenType, type TokenType } from '../../oauth/token_types.ts'
import { BrokerError } from '../errors.ts'
import { wishIn, type Wish } from '../wish.ts'
import type { Behalf } from './find_acting.ts'

/** What `POST /v1/exchange` asks for. */
export interface ExchangeAsk {
  readonly behalf: Behalf
  readonly wish: Wish
}

/** A token that was shown, with its type (RFC 8693 section 2.1: never one without the other). */
export interface ShownSubject {
  readonly token: string
  readonly tokenType: TokenType
}

const subjectNames = ['subject_token', 'subject_token_type']
const exchangeNames = new Set([
  ...subjectNames,
  'session',
  'audience',
  'resource',
  'scope',
  'agent',
])
const sessionNames = new Set([...subjectNames, 'agent'])

const REMEMBERED = 500
const LONGEST_REMEMBERED = 1_024

/**
 * Reads bodies, and remembers what those that name a session meant: an agent repeats itself, and to read one costs more than
 * all the rest of a hit. A body with a token in it is never kept.
 */
export function rememberingAsks(): (
  raw: IncomingMessage,
  body: Buffer,
) => ExchangeAsk | BrokerError {
  const known = new LRUCache<string, ExchangeAsk>({ max: REMEMBERED })
  return (raw, body) => {
    const short = body.length <= LONGEST_REMEMBERED
    const key = short ? `${raw.headers['content-type'] ?? ''}\n${body.toString('latin1')}` : ''
    const remembered = short ? known.get(key) : undefined
    if (remembered && isPlain(raw)) return remembered
    const ask = readExchangeAsk(raw, body)
    if (short && !(ask instanceof BrokerError) && ask.behalf.kind === 'session') known.set(key, ask)
    return ask
  }
}

/** Reads a request to begin a session. */
export function readSessionAsk(
  raw: IncomingMessage,
  body: Buffer,
): { readonly subject: ShownSubject; readonly agent: string | undefined } | BrokerError {
  const parameters = parametersOf(raw, body, sessionNames)
  if (parameters instanceof BrokerError) return parameters
  const subject = subjectIn(parameters)
  if (subject instanceof BrokerError) return subject
  if (!subject) return new BrokerError('subject_missing')
  const wish = wishIn(parameters, { minTtl: 0, agent: parameters.one('agent') })
  return wish instanceof BrokerError ? wish : { subject, agent: wish.agent }
}

function readExchangeAsk(raw: IncomingMessage, body: Buffer): ExchangeAsk | BrokerError {
  const parameters = parametersOf(raw, body, exchangeNames)
  if (parameters instanceof BrokerError) return parameters
  const session = parameters.one('session')
  // Which of two is meant cannot be known.
  if (session !== undefined && subjectNames.some((name) => parameters.one(name) !== undefined)) {
    return new BrokerError('subject_twice')
  }
  const subject = subjectIn(parameters)
  if (subject instanceof BrokerError) return subject
  const wish = wishIn(parameters, { minTtl: 0, agent: parameters.one('agent') })
  if (wish instanceof BrokerError) return wish
  if (session !== undefined) return { behalf: { kind: 'session', id: session }, wish }
  if (!subject) return new BrokerError('subject_missing')
  return { behalf: { kind: 'token', ...subject }, wish }
}

/** No query, one media type and no coding, no parameter that nobody here knows, none empty. */
function parametersOf(
  raw: IncomingMessage,
  body: Buffer,
  names: ReadonlySet<string>,
): Parameters | BrokerError {
  if (raw.url?.includes('?') === true) return new BrokerError('query_refused')
  if (raw.headers['dpop'] !== undefined) return new BrokerError('dpop_unsupported')
  const { 'content-type': types = [] } = raw.headersDistinct
  const isOne = types.length < 2 && raw.headers['content-encoding'] === undefined
  const form = isOne ? bodyFormOf(types[0]) : undefined
  // JSON that is sent as a form, as some clients do where nobody says what it is, would be a parameter with an odd name.
  const isJson = body.subarray(0, 1).toString('latin1') === '{'
  if (!form || (form === 'form' && isJson)) return new BrokerError('media_type')
  const parameters = Parameters.parse(body, form)
  if (typeof parameters === 'string') return new BrokerError(parameters)
  if (parameters.names().some((name) => !names.has(name))) {
    return new BrokerError('parameter_unknown')
  }
  return parameters.hadEmpty ? new BrokerError('parameter_malformed') : parameters
}

function subjectIn(parameters: Parameters): ShownSubject | undefined | BrokerError {
  const token = parameters.one('subject_token')
  const tokenType = parameters.one('subject_token_type')
  if (token === undefined && tokenType === undefined) return undefined
  if (token === undefined || tokenType === undefined) return new BrokerError('subject_missing')
  return isTokenType(tokenType) ? { token, tokenType } : new BrokerError('token_type_unsupported')
}

/** Whether nothing stands beside a body that would have it refused. */
function isPlain(raw: IncomingMessage): boolean {
  const { 'content-type': types = [] } = raw.headersDistinct
  const { dpop, 'content-encoding': coding } = raw.headers
  if (types.length > 1 || dpop !== undefined || coding !== undefined) return false
  return raw.url?.includes('?') !== true
}
