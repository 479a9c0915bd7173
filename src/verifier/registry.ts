import type { Clock } from '../platform/clock.ts'
import { parseCompactJws } from './jws.ts'
import { verifyKubernetes, type KubernetesProvider } from './kubernetes.ts'
import { ProofRefusal } from './refusal.ts'
import type { Verifier } from './verifier.ts'

/**
 * All providers of one tenant. The pair (issuer, audience) of a token selects exactly one of them, byte for byte, before
 * anything is fetched; a token of an issuer that is not listed causes no connection at all.
 */
export function verifierOf(providers: readonly KubernetesProvider[], clock: Clock): Verifier {
  const byPair = new Map<string, KubernetesProvider>()
  const issuers = new Set<string>()
  for (const provider of providers) {
    for (const issuer of provider.issuers) {
      issuers.add(issuer)
      for (const audience of provider.audiences) byPair.set(pairOf(issuer, audience), provider)
    }
  }
  return {
    async verify(proof) {
      const jws = typeof proof === 'string' ? parseCompactJws(proof) : proof
      if (typeof jws === 'string') return new ProofRefusal(jws, 'not a compact JWS')
      const { iss, aud } = jws.payload
      if (typeof iss !== 'string' || !issuers.has(iss)) {
        return new ProofRefusal('issuer_unknown', 'no provider has this issuer')
      }
      const audience = soleAudience(aud)
      if (audience instanceof ProofRefusal) return audience
      const provider = byPair.get(pairOf(iss, audience))
      if (!provider) return new ProofRefusal('audience_mismatch', 'made for another audience')
      return verifyKubernetes(jws, provider, clock)
    },
  }
}

/** A pair as one text that no other pair has. */
export function pairOf(issuer: string, audience: string): string {
  return JSON.stringify([issuer, audience])
}

/** A proof made for several audiences is a bearer credential at each of the others: one only. */
function soleAudience(aud: unknown): string | ProofRefusal {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const [audience] = list
  if (list.length > 1) return new ProofRefusal('audience_many', 'made for more than one audience')
  if (typeof audience !== 'string' || audience === '') {
    return new ProofRefusal('claim_missing', 'aud is missing or no text')
  }
  return audience
}
