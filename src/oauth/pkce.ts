import { createHash, timingSafeEqual } from 'node:crypto'

/** RFC 7636 section 4.1: 43 to 128 unreserved characters. */
const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/
/** A SHA-256 in base64url (RFC 7636 section 4.2). */
const challengeForm = /^[A-Za-z0-9_-]{43}$/

/** True for a `code_challenge` of the method S256; `plain` has no place here (RFC 9700 section 2.1.1). */
export function isCodeChallenge(text: string): boolean {
  return challengeForm.test(text)
}

/**
 * Whether a verifier answers what the code was bound to (RFC 7636 section 4.6). A verifier where no challenge was made is a
 * downgrade: somebody took the challenge out of the authorization request (RFC 9700 section 2.1.1).
 */
export function verifierAnswers(
  challenge: string | undefined,
  verifier: string | undefined,
): boolean {
  if (challenge === undefined || verifier === undefined) return challenge === verifier
  if (!verifierForm.test(verifier)) return false
  const digest = createHash('sha256').update(verifier).digest('base64url')
  return (
    digest.length === challenge.length &&
    timingSafeEqual(Buffer.from(digest), Buffer.from(challenge))
  )
}
