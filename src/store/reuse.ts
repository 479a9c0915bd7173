import type { RefreshFamily, RevocationRecord } from './records.ts'

/** No access token lives longer, so none that came of a family outlives it by more. */
const LONGEST_ACCESS_TOKEN_SECONDS = 86_400

/**
 * Ends what was made of a grant when one of its refresh tokens was reused, and what will be: another request of the family
 * may be on its way to the mint at this moment.
 */
export function reuseRevocation({ tenant, id, expiresAt: end }: RefreshFamily): RevocationRecord {
  const expiresAt = end + LONGEST_ACCESS_TOKEN_SECONDS
  return { tenant, kind: 'grant', value: id, notBefore: expiresAt, expiresAt }
}
