import { OAuthError } from '../../oauth/errors.ts'
import { parseBasic } from '../../oauth/basic.ts'
import type { Parameters } from '../../oauth/parameters.ts'

/** The type of a JWT as client assertion (RFC 7523 section 2.2). */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What a caller shows to prove which client it is. Nothing of it is verified. */
export type Credentials =
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post'
      readonly clientId: string
      readonly secret: string
    }
  | {
      readonly method: 'client_assertion'
      /** As the body says it; the assertion says it too. */
      readonly clientId: string | undefined
      readonly assertion: string
    }

/**
 * Reads client authentication (RFC 6749 section 2.3.1, RFC 7521 section 4.2). One way a request; an equal `client_id` in the
 * body is no second one. Undefined: there is none.
 */
export function readCredentials(
  authorization: string | undefined,
  parameters: Parameters,
): Credentials | undefined | OAuthError {
  const clientId = parameters.one('client_id')
  const secret = parameters.one('client_secret')
  const assertion = readAssertion(parameters)
  if (assertion instanceof OAuthError) return assertion
  const ways = [authorization, secret, assertion].filter((way) => way !== undefined)
  if (authorization !== undefined) {
    const basic = basicOf(authorization)
    if (!basic) {
      return new OAuthError('client_unproven', { basicChallenge: true, detail: 'not HTTP Basic' })
    }
    const other = clientId !== undefined && clientId !== basic.clientId
    return ways.length > 1 || other ? new OAuthError('client_twice') : basic
  }
  if (ways.length > 1) return new OAuthError('client_twice')
  if (assertion !== undefined) return { method: 'client_assertion', clientId, assertion }
  if (secret === undefined) return undefined
  if (clientId === undefined) {
    return new OAuthError('parameter_missing', { detail: 'client_id is missing' })
  }
  return { method: 'client_secret_post', clientId, secret }
}

function readAssertion(parameters: Parameters): string | undefined | OAuthError {
  const assertion = parameters.one('client_assertion')
  const type = parameters.one('client_assertion_type')
  if (assertion === undefined && type === undefined) return undefined
  if (assertion === undefined || type === undefined) {
    return new OAuthError('parameter_missing', {
      detail: 'client_assertion and client_assertion_type go together',
    })
  }
  if (type === JWT_BEARER) return assertion
  return new OAuthError('client_unproven', {
    detail: 'the type of the client assertion is unknown',
  })
}

function basicOf(authorization: string): Credentials | undefined {
  const basic = parseBasic(authorization)
  // An empty parameter counts as absent, and an empty secret is none.
  if (!basic || basic.secret === '') return undefined
  return { method: 'client_secret_basic', ...basic }
}
