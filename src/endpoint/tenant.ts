import type { GrantName } from '../oauth/grant_types.ts'
import type { ClientAuthMethod } from '../config/config.ts'
import type { Ceiling } from '../policy/ceiling.ts'
import type { Policy } from '../policy/policy.ts'
import type { Verifier } from '../verifier/verifier.ts'
import type { Signer } from './signer.ts'

/** A client with credentials of its own. */
export interface RegisteredClient {
  readonly id: string
  /** SHA-256 digests of its secrets. */
  readonly secretHashes: readonly Buffer[]
  readonly methods: readonly ClientAuthMethod[]
  readonly grantTypes: readonly GrantName[]
  readonly ceiling: Ceiling
  readonly lifetimeSeconds: number
}

/** All that one tenant has. Tenants share nothing but the process. */
export interface Tenant {
  readonly slug: string
  /** The one string that is `iss`, the name in discovery, and by default the audience of proofs. */
  readonly issuer: string
  /** Its discovery is served at the root as well. */
  readonly atOrigin: boolean
  readonly clients: ReadonlyMap<string, RegisteredClient>
  readonly signer: Signer
  readonly verifier: Verifier
  /** The trust policy as it is now. */
  readonly policy: () => Policy
}
