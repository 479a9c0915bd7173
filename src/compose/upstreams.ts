import type { TenantConfig } from '../config/config.ts'
import type { UpstreamConfig } from '../config/upstream.ts'
import { Guests } from '../endpoint/sign_in/upstream/guests.ts'
import type { Upstream } from '../endpoint/sign_in/upstream/upstream.ts'
import type { Upstreams } from '../endpoint/sign_in/upstream/upstreams.ts'
import { UpstreamVisits } from '../endpoint/sign_in/upstream/visits.ts'
import type { Surroundings } from './surroundings.ts'
import type { TenantNeeds } from './tenant.ts'

/** Wires the other providers that sign people in at a tenant. */
export function openUpstreams(
  { slug, upstreams }: TenantConfig,
  {
    origin,
    store,
    seal,
    surroundings,
  }: Pick<TenantNeeds, 'origin' | 'store' | 'seal' | 'surroundings'>,
): Upstreams {
  const { clock, random } = surroundings
  return {
    byName: new Map(upstreams.map((config) => [config.name, openUpstream(config, surroundings)])),
    visits: new UpstreamVisits({
      tenant: slug,
      key: seal.derive('upstream sign-in'),
      // One prefix of the two, for a provider compares it character by character.
      redirectUri: (name) => `${origin}/t/${slug}/api/v1/oauth/login/callback/${name}`,
      store,
      clock,
      random,
    }),
    guests: new Guests({ tenant: slug, store, clock, random }),
  }
}

/** The library is loaded when somebody is first sent there: most authorities never need it. */
function openUpstream(config: UpstreamConfig, surroundings: Surroundings): Upstream {
  let opened: Promise<Upstream> | undefined
  const open = async (): Promise<Upstream> => {
    const { openRelyingParty } = await import('./relying_party.ts')
    return openRelyingParty(config, surroundings)
  }
  const party = (): Promise<Upstream> => (opened ??= open())
  return {
    config,
    authorizationUrl: async (...asked) => (await party()).authorizationUrl(...asked),
    identify: async (...asked) => (await party()).identify(...asked),
  }
}
