import { podItself, type Callers } from '../broker/caller/callers.ts'
import { Workload } from '../broker/caller/workload.ts'
import { Identifiers } from '../broker/delegation/identifiers.ts'
import { proofFile, type ProofSource } from '../broker/proof.ts'
import type { BrokerConfig } from '../config/config.ts'
import type { Verifier } from '../verifier/verifier.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

/** Who calls: the pod itself, with the proof that it finds, or whoever shows a token. */
export interface Calls {
  readonly callers: Callers
  /** In a sidecar: the pod. */
  readonly pod: Workload | undefined
}

/**
 * Wires what tells whose a request is.
 * @throws OperatorFault
 */
export async function openCallers(
  config: BrokerConfig,
  verifier: Verifier | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Calls> {
  const identifiers = new Identifiers(surroundings.random)
  const around = { ...surroundings, identifiers }
  const newWorkload = (proofs: ProofSource): Workload => new Workload(proofs, config, around)
  if (config.proof.from === 'caller') {
    // What verifies tokens is no burden for a sidecar, which verifies none.
    const { presentedCallers } = await import('./presented_callers.ts')
    const callers = await presentedCallers(
      config.proof,
      newWorkload,
      verifier,
      opened,
      surroundings,
    )
    return { callers, pod: undefined }
  }
  const pod = newWorkload(await ownProofs(config, surroundings))
  return { callers: podItself(pod), pod }
}

async function ownProofs(
  { proof, proofAudience }: BrokerConfig,
  surroundings: Surroundings,
): Promise<ProofSource> {
  switch (proof.from) {
    case 'file':
      return proofFile(proof.file, proofAudience, surroundings)
    case 'aws': {
      const { awsProofs } = await import('./aws_credentials.ts')
      return awsProofs(proof, proofAudience, surroundings)
    }
    case 'caller':
      throw new Error('a broker of callers has no proof of its own')
  }
}
