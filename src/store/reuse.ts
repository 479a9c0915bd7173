import type { RefreshFamily, RevocationRecord } from './store.ts'

/** No access token lives longer, so none that came of a family outlives it by more. */
const LONGEST_ACCESS_TOKEN_SECONDS = 86_400

/** Ends what was made of a grant when one of its refresh tokens was reused. `now` in Unix milliseconds. */
export function reuseRevocation(family: RefreshFamily, now: number): RevocationRecord {
  return {
    tenant: family.tenant,
    kind: 'grant',
    value: family.id,
    notBefore: Math.floor(now / 1000),
    expiresAt: family.expiresAt + LONGEST_ACCESS_TOKEN_SECONDS,
  }
}
