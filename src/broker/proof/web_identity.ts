import { unixSeconds, type Clock } from '../../platform/clock.ts'
import {
  judgeJwt,
  ProofFault,
  watchedProofs,
  type Proof,
  type ProofDependencies,
  type ProofSource,
} from '../proof.ts'
import { oneFlight } from './flight.ts'

/** Seconds that a token is asked for; STS gives from 60 to 3600 (`DurationSeconds` of GetWebIdentityToken). */
export const WEB_IDENTITY_SECONDS = 300
/** With less left of it, a token could end on its way, and the clock of whoever checks it may be ahead. */
const SPARE_SECONDS = 60

interface Held {
  readonly proof: Proof
  readonly since: number
}

/**
 * Proofs that STS issues: JWTs about the role of the workload (GetWebIdentityToken), each used until a minute before its
 * end. `issue` asks for a new one, and must not reject.
 */
export function webIdentityProofs(
  audience: string,
  issue: () => Promise<string | ProofFault>,
  dependencies: ProofDependencies,
): ProofSource {
  const { clock } = dependencies
  const fetch = oneFlight(async () => {
    const token = await issue()
    return token instanceof ProofFault ? token : judge(token, audience, clock)
  }, clock)
  let held: Held | undefined
  return watchedProofs(async () => {
    if (held && isFresh(held, clock)) return held.proof
    const proof = await fetch()
    if (!(proof instanceof ProofFault)) held = { proof, since: clock.monotonic() }
    return proof
  }, dependencies)
}

/** By both clocks: the wall clock may be set back, and the token ends all the same. */
function isFresh({ proof, since }: Held, clock: Clock): boolean {
  return (
    proof.expiresAt - unixSeconds(clock) > SPARE_SECONDS &&
    clock.monotonic() - since < (WEB_IDENTITY_SECONDS - SPARE_SECONDS) * 1000
  )
}

function judge(token: string, audience: string, clock: Clock): Proof | ProofFault {
  return judgeJwt(token, {
    where: 'the answer of STS',
    audience,
    advice: 'is it STS that answers at broker.proof.aws.stsEndpoint?',
    now: unixSeconds(clock),
  })
}
