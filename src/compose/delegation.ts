import type { Bearers } from '../broker/bearers.ts'
import type { Workload } from '../broker/caller/workload.ts'
import { ActFor } from '../broker/delegation/act_for.ts'
import { Consents } from '../broker/delegation/consents.ts'
import type { Delegated } from '../broker/delegation/delegated.ts'
import { EndedTokens } from '../broker/delegation/ended_tokens.ts'
import { OwnTokens } from '../broker/delegation/own_tokens.ts'
import { Recheck } from '../broker/delegation/recheck.ts'
import { watchDelegations } from '../broker/delegation/watch.ts'
import { GetToken } from '../broker/get_token.ts'
import type { LocalLimits } from '../broker/local_limits.ts'
import { IssuedBearers } from '../broker/issued_bearers.ts'
import { LocalGate } from '../broker/local_gate.ts'
import { approvalStatus } from '../exchange/approval_status.ts'
import type { Exchanger } from '../exchange/exchanger.ts'
import { introspection } from '../exchange/introspection.ts'
import type { AuthorityLink } from '../exchange/link.ts'
import { revocation } from '../exchange/revoke.ts'
import type { Surroundings } from './surroundings.ts'

/** The own tokens of a workload, of which there is one for each of its agents. */
const MAX_FLIGHTS = 16

interface DelegationParts {
  readonly getToken: GetToken
  readonly gate: LocalGate
  readonly limits: LocalLimits
  readonly exchanger: Exchanger
  readonly link: AuthorityLink
  readonly workloads: () => Iterable<Workload>
}

/** Acting for others, wired. */
export interface OpenDelegation {
  readonly ownTokens: OwnTokens
  readonly actFor: ActFor
  /** What the proxy and gateways get their tokens from. */
  readonly bearers: Bearers
  readonly revoke: (workload: Workload, tokens: readonly Delegated[]) => Promise<void>
  /** Begins to see to what is held. */
  watch(): () => void
}

export function openDelegation(
  { getToken, gate, limits, exchanger, link, workloads }: DelegationParts,
  surroundings: Surroundings,
): OpenDelegation {
  const open = new LocalGate({ policy: () => undefined, limits, ...surroundings })
  const getAside = new GetToken({ exchanger, gate: open, maxFlights: MAX_FLIGHTS, ...surroundings })
  const ownTokens = new OwnTokens({ getToken, getAside, gate, ...surroundings })
  const { revoke } = new EndedTokens({ revoke: revocation(link), ...surroundings })
  const inBackground = (workload: Workload, tokens: readonly Delegated[]): void =>
    void revoke(workload, tokens)
  const recheck = new Recheck({ standingOf: introspection(link), ownTokens, ...surroundings })
  const actFor = new ActFor({
    exchanger,
    ownTokens,
    gate,
    recheck,
    revoke: inBackground,
    ...surroundings,
  })
  const consents = new Consents({
    statusOf: approvalStatus(link),
    ownTokens,
    actFor,
    ...surroundings,
  })
  const { clock } = surroundings
  return {
    ownTokens,
    actFor,
    bearers: new IssuedBearers({ getToken, actFor, gate, clock }),
    revoke,
    watch: () =>
      watchDelegations({ workloads, actFor, recheck, consents, revoke: inBackground, clock }),
  }
}
