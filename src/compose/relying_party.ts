import type { UpstreamConfig } from '../config/upstream.ts'
import { RelyingParty } from '../endpoint/sign_in/upstream/relying_party.ts'
import type { Upstream } from '../endpoint/sign_in/upstream/upstream.ts'
import type { Surroundings } from './surroundings.ts'

/** Us as a client of another OpenID Provider. Loaded when somebody is first sent there. */
export function openRelyingParty(config: UpstreamConfig, surroundings: Surroundings): Upstream {
  return new RelyingParty(config, surroundings)
}
