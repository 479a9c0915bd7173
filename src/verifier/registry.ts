import type { Clock } from '../platform/clock.ts'
import { verifySignedRequest, type SignedRequestProvider } from './aws/aws_request.ts'
import { parseSignedRequest } from './aws/signed_request.ts'
import { provenIdentity, type WorkloadFacts } from './identity.ts'
import { parseCompactJws, type UnverifiedJws } from './jws.ts'
import type { Provider, TokenProvider } from './provider.ts'
import { CannotVerify, ProofRefusal } from './refusal.ts'
import { Signatures } from './signature.ts'
import { verifyToken } from './token.ts'
import type { Verifier } from './verifier.ts'

/** A provider that a proof selected, and the audience by which it did. */
interface Selected {
  readonly provider: TokenProvider
  readonly audience: string
}

/**
 * All providers of one tenant. The pair (issuer, audience) of a token selects exactly one of them, byte for byte, before
 * anything is fetched; a token of an issuer that is not listed causes no connection at all. A signed request selects by its
 * partition and audience.
 */
export class Providers implements Verifier {
  readonly #issuers = new Set<string>()
  readonly #tokens = new Map<string, TokenProvider>()
  readonly #requests = new Map<string, SignedRequestProvider>()
  readonly #judging: { readonly signatures: Signatures; readonly clock: Clock }

  constructor(providers: readonly Provider[], clock: Clock) {
    this.#judging = { signatures: new Signatures(clock), clock }
    for (const provider of providers) {
      if (provider.kind === 'aws4_request') {
        for (const audience of provider.audiences) {
          this.#requests.set(pairOf(provider.partition, audience), provider)
        }
        continue
      }
      for (const issuer of provider.issuers) {
        this.#issuers.add(issuer)
        for (const audience of provider.audiences) {
          this.#tokens.set(pairOf(issuer, audience), provider)
        }
      }
    }
  }

  verify: Verifier['verify'] = async (proof) => {
    const facts =
      typeof proof === 'object' && 'awsRequest' in proof
        ? await this.#judgeRequest(proof.awsRequest)
        : await this.#judgeToken(typeof proof === 'string' ? parseCompactJws(proof) : proof)
    if (facts instanceof ProofRefusal || facts instanceof CannotVerify) return facts
    // The one place where what was proven becomes an identity.
    return provenIdentity(facts)
  }

  /** The provider whose the claims of a token say it is. Nothing is verified by that. */
  select({ iss, aud }: Readonly<Record<string, unknown>>): Selected | ProofRefusal {
    if (typeof iss !== 'string' || !this.#issuers.has(iss)) {
      return new ProofRefusal('issuer_unknown', 'no provider has this issuer')
    }
    const audience = soleAudience(aud)
    if (audience instanceof ProofRefusal) return audience
    const provider = this.#tokens.get(pairOf(iss, audience))
    if (!provider) return new ProofRefusal('audience_mismatch', 'made for another audience')
    return { provider, audience }
  }

  async #judgeToken(
    jws: UnverifiedJws | 'too_large' | 'malformed',
  ): Promise<WorkloadFacts | ProofRefusal | CannotVerify> {
    if (typeof jws === 'string') return new ProofRefusal(jws, 'not a compact JWS')
    const selected = this.select(jws.payload)
    if (selected instanceof ProofRefusal) return selected
    return verifyToken(jws, selected.audience, selected.provider, this.#judging)
  }

  async #judgeRequest(text: string): Promise<WorkloadFacts | ProofRefusal | CannotVerify> {
    const request = parseSignedRequest(text)
    if (request instanceof ProofRefusal) return request
    const provider = this.#requests.get(pairOf(request.partition, request.audience))
    if (!provider) {
      return new ProofRefusal('audience_mismatch', 'no provider has this audience and partition')
    }
    return verifySignedRequest(request, provider, this.#judging.clock)
  }
}

/** A pair as one text that no other pair has. */
export function pairOf(issuer: string, audience: string): string {
  return `${String(issuer.length)} ${issuer}${audience}`
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
