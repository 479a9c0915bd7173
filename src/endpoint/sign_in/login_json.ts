import { OAuthError } from '../../oauth/errors.ts'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { Parameters } from '../../oauth/parameters.ts'
import type { BrowserRequest } from '../browser/request.ts'
import type { Tenant } from '../tenant.ts'
import type { PasswordSignIn } from './password_sign_in.ts'

/** Signed in, and the cookie that says so. */
export interface SignedIn {
  readonly setCookie: string
}

/**
 * `POST …/oauth/login/json`: address and password from a page of an origin that the operator trusts, and of no other: whoever can
 * post here from a browser can sign it in as somebody (login CSRF). It makes a session and no token.
 */
export async function loginJson(
  request: BrowserRequest,
  contentType: string | undefined,
  tenant: Tenant,
  passwords: PasswordSignIn,
): Promise<SignedIn | OAuthError> {
  if (bodyFormOf(contentType) !== 'json') return new OAuthError('media_type')
  const parameters = Parameters.parse(request.body, 'json')
  if (typeof parameters === 'string') return new OAuthError(parameters)
  const email = parameters.one('email')
  const password = parameters.one('password')
  if (email === undefined || password === undefined) {
    return new OAuthError('parameter_missing', { detail: 'email or password is missing' })
  }
  const outcome = await passwords.who({ email, password }, request, tenant)
  switch (outcome) {
    case 'wrong':
      return new OAuthError('credentials_wrong')
    case 'locked':
      return new OAuthError('too_many_requests', {
        reason: 'sign_in_locked',
        retryAfterSeconds: 900,
      })
    case 'busy':
      return new OAuthError('too_many_requests', { reason: 'sign_in_busy', retryAfterSeconds: 2 })
    default:
      return {
        setCookie: await tenant.sessions.open(
          outcome.sub,
          tenant.sessions.valueIn(request.cookies),
        ),
      }
  }
}
