import type { UserConfig } from '../config/user.ts'

/** What a scope lets a client know of a user (OpenID Connect Core section 5.4). */
export function userClaims(user: UserConfig, scope: readonly string[]) {
  const { name, givenName, familyName, picture, email, emailVerified } = user
  return {
    ...(scope.includes('profile') && {
      ...(name !== undefined && { name }),
      ...(givenName !== undefined && { given_name: givenName }),
      ...(familyName !== undefined && { family_name: familyName }),
      ...(picture !== undefined && { picture }),
    }),
    ...(scope.includes('email') && email !== undefined && { email, email_verified: emailVerified }),
  }
}
