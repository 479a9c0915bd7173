import { podItself, type Callers } from '../broker/caller/callers.ts'
import type { HeldProof } from '../broker/caller/held_proof.ts'
import { PresentedCallers } from '../broker/caller/presented.ts'
import { Workload } from '../broker/caller/workload.ts'
import { proofFile, type ProofSource } from '../broker/proof.ts'
import type { BrokerConfig, CallersConfig } from '../config/config.ts'
import { eksAudiences } from '../config/provider/issuing.ts'
import { compilePathPattern } from '../platform/pattern.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import { ProofRefusal } from '../verifier/refusal.ts'
import { Providers } from '../verifier/registry.ts'
import type { TokenProvider } from '../verifier/provider.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { openKeys } from './key_sources.ts'
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
  const newWorkload = (proofs: ProofSource): Workload => new Workload(proofs, config, surroundings)
  if (config.proof.from === 'caller') {
    const { maxWorkloads } = config.proof
    const callers = new PresentedCallers({
      verifier: await verifierOf(config.proof, verifier, opened, surroundings),
      workloadOf: (proof: HeldProof) => newWorkload(proof),
      maxWorkloads,
      ...surroundings,
    })
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

/** The cluster's keys on a node; in the process of an authority what verifies proofs there. */
async function verifierOf(
  { providers }: CallersConfig,
  local: Verifier | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Verifier> {
  if (!providers) {
    if (local) return withoutAwsCredentials(local)
    throw new Error('a broker without an authority passed the configuration')
  }
  const open: TokenProvider[] = []
  for (const provider of providers) {
    open.push({
      ...provider,
      keys: await openKeys(provider, { opened, surroundings }),
      claims: Object.entries(provider.claims).map(([name, text]) => ({
        name,
        pattern: compilePathPattern(text),
      })),
      // The authority asks the API server, should it be configured to.
      review: undefined,
    })
  }
  return new Providers(open, surroundings.clock)
}

/** What AWS itself would take from its holder is not to be shown to a broker, even where the authority beside it takes it. */
function withoutAwsCredentials(verifier: Verifier): Verifier {
  const refused: ReadonlySet<unknown> = new Set(Object.values(eksAudiences))
  return {
    verify: (proof) => {
      const jws = typeof proof === 'string' ? parseCompactJws(proof) : undefined
      const { aud } = typeof jws === 'object' ? jws.payload : {}
      const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
      return audiences.some((audience) => refused.has(audience))
        ? Promise.resolve(new ProofRefusal('audience_mismatch', 'made for AWS'))
        : verifier.verify(proof)
    },
  }
}
