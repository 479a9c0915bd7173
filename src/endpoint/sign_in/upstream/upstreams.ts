import type { Guests } from './guests.ts'
import type { Upstream } from './upstream.ts'
import type { UpstreamVisits } from './visits.ts'

/** The other providers that sign people in at a tenant. */
export interface Upstreams {
  readonly byName: ReadonlyMap<string, Upstream>
  readonly visits: UpstreamVisits
  readonly guests: Guests
}
