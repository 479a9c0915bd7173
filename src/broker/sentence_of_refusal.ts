import { printable } from '../platform/printable.ts'
import type { BrokerError } from './errors.ts'
import type { ProofSource } from './proof.ts'

const MAX_LENGTH = 200

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
  return (
    `the authority refuses a token to this workload (${shown(error)}). It is ${who}; it asked tenant ${tenant} for a token of ${asWhom}. ` +
    'Does the trust policy have an agent for this namespace and service account (in the chart: agents), is it the one asked for, and ' +
    "does the tenant have a provider for this issuer and audience? The authority's log has the reason, and lumo-broker explain there shows it"
  )
}

/** Of a token that was not verified. */
function shown(text: string): string {
  return printable(text, MAX_LENGTH)
}
