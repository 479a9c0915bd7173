/** Whom another provider signed in, as far as that is kept. */
export interface UpstreamIdentity {
  /** `sub` there. */
  readonly subject: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly name: string | undefined
}

type Claims = Readonly<Record<string, unknown>>

/** OpenID Connect Core section 2. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/
const EMAIL = /^[^\p{C}\s]{1,255}$/u
/** No control characters, and none that turn the writing direction of what stands beside it. */
const NAME = /^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]{1,255}$/u

/** Undefined: it says what cannot be kept. A claim that is absent, null or empty is not said. */
export function readIdentity(claims: Claims): UpstreamIdentity | undefined {
  const { sub } = claims
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) return undefined
  const email = said(claims['email'], EMAIL)
  const name = said(claims['name'], NAME)
  if (email === 'wrong' || name === 'wrong') return undefined
  return {
    subject: sub,
    email: email?.text,
    // Nothing but the word itself: some providers write "false" as text.
    emailVerified: email !== undefined && claims['email_verified'] === true,
    name: name?.text,
  }
}

function said(claim: unknown, form: RegExp): { readonly text: string } | undefined | 'wrong' {
  if (claim === undefined || claim === null || claim === '') return undefined
  return typeof claim === 'string' && form.test(claim) ? { text: claim } : 'wrong'
}
