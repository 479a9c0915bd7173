import type { TenantConfig } from '../config/config.ts'
import type { ProviderConfig } from '../config/provider/config.ts'
import { Seal } from '../endpoint/sealing.ts'
import { unixSeconds } from '../platform/clock.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { memoryStore } from '../store/memory.ts'
import { provenIdentity, type WorkloadIdentity } from '../verifier/identity.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import { CannotVerify, ProofRefusal } from '../verifier/refusal.ts'
import { Providers } from '../verifier/registry.ts'
import { readClaims } from '../verifier/token.ts'
import { Opened } from './opened.ts'
import { openProviders } from './providers.ts'
import type { Surroundings } from './surroundings.ts'

export type Judged = WorkloadIdentity | ProofRefusal | CannotVerify

/**
 * Verifies a proof as the authority of this tenant would, with keys fetched for it alone and nothing kept: a signed request
 * that is looked at here is still good there. Only the providers that the proof could mean are opened.
 * @throws OperatorFault where keys or the API server are not to be had from here
 */
export async function judgeProof(
  proof: string,
  tenant: TenantConfig,
  surroundings: Surroundings,
): Promise<Judged> {
  const jws = parseCompactJws(proof)
  const isRequest = /^(%7B|\{)/i.test(proof)
  const iss = typeof jws === 'string' ? undefined : jws.payload['iss']
  const meant = tenant.providers.filter((provider) => couldMean(provider, isRequest, iss))
  return withProviders({ ...tenant, providers: meant }, surroundings, (providers) =>
    providers.verify(isRequest ? { awsRequest: proof } : proof),
  )
}

function couldMean(provider: ProviderConfig, isRequest: boolean, iss: unknown): boolean {
  if (provider.kind === 'aws4_request') return isRequest
  return !isRequest && provider.issuers.some((issuer) => issuer === iss)
}

/**
 * What would become of these claims if an issuer had signed them. Nothing is fetched, and nothing is proven by it: the answer
 * never leaves the command.
 */
export async function judgeClaims(
  claims: unknown,
  tenant: TenantConfig,
  surroundings: Surroundings,
): Promise<Judged> {
  if (!isJsonObject(claims)) return new ProofRefusal('malformed', 'the claims are no JSON object')
  // Without keys: they are not asked for.
  const offline = tenant.providers.flatMap((provider) =>
    provider.kind === 'aws4_request'
      ? []
      : [{ ...provider, keys: { from: 'inline' as const, jwks: { keys: [] } } }],
  )
  return withProviders(
    { ...tenant, providers: offline.map(withoutReview) },
    surroundings,
    (open) => {
      const selected = open.select(claims)
      if (selected instanceof ProofRefusal) return Promise.resolve(selected)
      const facts = readClaims(claims, selected.provider, unixSeconds(surroundings.clock))
      return Promise.resolve(facts instanceof ProofRefusal ? facts : provenIdentity(facts))
    },
  )
}

function withoutReview<P extends ProviderConfig>(provider: P): P {
  return provider.kind === 'kubernetes' ? { ...provider, review: undefined } : provider
}

async function withProviders<T>(
  tenant: TenantConfig,
  surroundings: Surroundings,
  work: (providers: Providers) => Promise<T>,
): Promise<T> {
  const opened = new Opened()
  try {
    const providers = await openProviders(tenant, {
      store: memoryStore(),
      seal: new Seal(surroundings.random.bytes(32), surroundings.random),
      opened,
      surroundings,
    })
    return await work(new Providers(providers, surroundings.clock))
  } finally {
    await opened.close()
  }
}
