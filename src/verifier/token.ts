import { unixSeconds, type Clock } from '../platform/clock.ts'
import { webIdentityClaims } from './aws/web_identity.ts'
import { azureClaims } from './azure.ts'
import { checkRules, checkTimes, RuleBroken, type Claims } from './claims.ts'
import { gcpClaims } from './gcp.ts'
import { checkHeader } from './header.ts'
import type { WorkloadFacts } from './identity.ts'
import type { UnverifiedJws } from './jws.ts'
import { kubernetesClaims } from './kubernetes/claims.ts'
import { oidcClaims } from './oidc.ts'
import type { TokenProvider } from './provider.ts'
import { CannotVerify, ProofRefusal } from './refusal.ts'
import type { Signatures } from './signature.ts'

const none: ReadonlySet<string> = new Set()
/** Thumbprints of certificates, which Entra and GitHub write beside `kid`. */
const thumbprints: ReadonlySet<string> = new Set(['x5t', 'x5t#S256'])

/**
 * Judges a token that claims one of this provider's issuers and this audience: algorithm and header first, then the
 * signature, only then what the claims say, and last what the API server says.
 */
export async function verifyToken(
  jws: UnverifiedJws,
  audience: string,
  provider: TokenProvider,
  { signatures, clock }: { readonly signatures: Signatures; readonly clock: Clock },
): Promise<WorkloadFacts | ProofRefusal | CannotVerify> {
  const { name, algorithms, keys, kind } = provider
  const more = kind === 'azure' || kind === 'oidc' ? thumbprints : none
  const signing = checkHeader(jws, { name, algorithms, more })
  if (signing instanceof ProofRefusal) return signing
  const key = await keys.find(signing.kid, signing.alg)
  if (key === 'unknown') return new ProofRefusal('key_unknown', 'the issuer has no such key', name)
  if ('unavailable' in key) return new CannotVerify(key.unavailable, name, key.retryAfterSeconds)
  if (!(await signatures.isGood(jws, signing.alg, key))) {
    return new ProofRefusal('signature_invalid', 'the signature does not verify', name)
  }
  const facts = readClaims(jws.payload, provider, unixSeconds(clock))
  if (facts instanceof ProofRefusal) return facts
  if (facts.kind !== 'kubernetes' || provider.kind !== 'kubernetes' || !provider.review) {
    return facts
  }
  return (await provider.review.check(jws.compact, audience, facts)) ?? facts
}

/**
 * Reads the claims of a token whose issuer and audience are the provider's. Signature aside, they are all that decides, so
 * an operator can ask what would become of some claims. `now` in Unix seconds.
 */
export function readClaims(
  claims: Claims,
  provider: TokenProvider,
  now: number,
): WorkloadFacts | ProofRefusal {
  try {
    const expiresAt = checkTimes(claims, provider, now)
    const read = byKind(claims, provider, now)
    checkRules(claims, provider)
    return { provider: provider.name, issuer: String(claims['iss']), expiresAt, ...read }
  } catch (error) {
    if (!(error instanceof RuleBroken)) throw error
    return new ProofRefusal(error.code, error.message, provider.name)
  }
}

function byKind(claims: Claims, provider: TokenProvider, now: number) {
  switch (provider.kind) {
    case 'kubernetes':
      return kubernetesClaims(claims, provider, now)
    case 'aws':
      return webIdentityClaims(claims, provider.account)
    case 'gcp':
      return gcpClaims(claims)
    case 'azure':
      return azureClaims(claims, provider.tenantId)
    case 'oidc':
      return oidcClaims(claims)
  }
}
