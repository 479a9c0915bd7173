import { parseBasic } from '../../oauth/basic.ts'
import type { Parameters } from '../../oauth/parameters.ts'
import { BrokerError } from '../errors.ts'

/** The type of a JWT as client assertion (RFC 7523 section 2.2). */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export const credentialParameters = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const

/** What an OAuth client shows of itself. Nothing of it is verified. */
export interface Shown {
  readonly clientId: string | undefined
  readonly secret: string | undefined
  readonly assertion: string | undefined
  /** It used HTTP Basic, and is owed a challenge should it fail (RFC 6749 section 5.2). */
  readonly byHeader: boolean
}

/**
 * Reads client authentication (RFC 6749 section 2.3.1, RFC 7521 section 4.2). One way a request; an equal `client_id` in the
 * body is no second one.
 */
export function readShown(
  authorization: string | undefined,
  parameters: Parameters,
): Shown | BrokerError {
  const clientId = parameters.one('client_id')
  const secret = parameters.one('client_secret')
  const assertion = assertionOf(parameters)
  if (assertion instanceof BrokerError) return assertion
  const ways = [authorization, secret, assertion].filter((way) => way !== undefined)
  if (ways.length > 1) return new BrokerError('client_twice')
  if (authorization === undefined) return { clientId, secret, assertion, byHeader: false }
  const basic = parseBasic(authorization)
  if (!basic) return unproven(true)
  const named = basic.clientId === '' ? undefined : basic.clientId
  if (clientId !== undefined && clientId !== named) return new BrokerError('client_twice')
  return {
    clientId: named,
    secret: basic.secret === '' ? undefined : basic.secret,
    assertion: undefined,
    byHeader: true,
  }
}

export function unproven(byHeader: boolean): BrokerError {
  return new BrokerError('client_unproven', byHeader ? { challenge: BASIC } : {})
}

const BASIC = 'Basic realm="lumo-broker"'

function assertionOf(parameters: Parameters): string | undefined | BrokerError {
  const assertion = parameters.one('client_assertion')
  const type = parameters.one('client_assertion_type')
  if (assertion === undefined && type === undefined) return undefined
  if (assertion === undefined || type === undefined) return new BrokerError('parameter_missing')
  return type === JWT_BEARER ? assertion : unproven(false)
}
