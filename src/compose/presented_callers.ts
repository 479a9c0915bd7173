import { PresentedCallers } from '../broker/caller/presented.ts'
import type { Workload } from '../broker/caller/workload.ts'
import type { ProofSource } from '../broker/proof.ts'
import type { CallersConfig } from '../config/config.ts'
import { eksAudiences } from '../config/provider/issuing.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import type { TokenProvider } from '../verifier/provider.ts'
import { ProofRefusal } from '../verifier/refusal.ts'
import { Providers } from '../verifier/registry.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { claimRules } from './claim_rules.ts'
import { openKeys } from './key_sources.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

/** Callers that show their own tokens. `local`: what verifies them in the process of an authority. */
export async function presentedCallers(
  config: CallersConfig,
  workloadOf: (proof: ProofSource) => Workload,
  local: Verifier | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<PresentedCallers> {
  return new PresentedCallers({
    verifier: await verifierOf(config, local, opened, surroundings),
    workloadOf,
    maxWorkloads: config.maxWorkloads,
    ...surroundings,
  })
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
      claims: claimRules(provider),
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
