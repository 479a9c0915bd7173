import { printable } from '../platform/printable.ts'
import type { BrokerError } from './errors.ts'
import type { ProofSource } from './proof.ts'

const MAX_LENGTH = 200
const UNKNOWN =
  'Does the trust policy have an agent for this namespace and service account (in the chart: agents), is it the one asked for, and ' +
  'does the tenant have a provider for this issuer and audience?'
/** An authority that says this of a request knows the agent. */
const UNGRANTED =
  'The agent is known, and may not have this target or scope: add it to its grants in the trust policy (in the chart: agents), or ' +
  'change what the broker asks for (lumoauth.dev/audience and lumoauth.dev/scopes; by hand its local policy).'

/**
 * The last words of a broker that the authority refuses a first token: who it is by its proof, as whom it asked, and what to look
 * at. `agent`: the one that was asked for. They end up in the status of the pod, for people who see neither its log nor the authority's.
 */
export function sentenceOfRefusal(
  { error }: BrokerError,
  proofs: Pick<ProofSource, 'last'>,
  agent: string | undefined,
  { tenant, proofAudience }: { readonly tenant: string; readonly proofAudience: string },
): string {
  const subject = proofs.last()?.subject
  const who = subject
    ? `${shown(subject.sub)} of ${shown(subject.issuer)}, by a proof for the audience ${shown(proofAudience)}`
    : 'whoever its proof names'
  const asWhom = agent === undefined ? 'whatever agent that is' : `the agent ${shown(agent)}`
  const advice = error === 'invalid_target' || error === 'invalid_scope' ? UNGRANTED : UNKNOWN
  return (
    `the authority refuses a token to this workload (${shown(error)}). It is ${who}; it asked tenant ${tenant} for a token of ${asWhom}. ` +
    `${advice} The authority's log has the reason, and lumo-broker explain there shows it`
  )
}

/** Of a token that was not verified. */
function shown(text: string): string {
  return printable(text, MAX_LENGTH)
}
