import { Journal } from '../audit/journal.ts'
import type { ClientConfig } from '../config/client.ts'
import { parseClientFiles } from '../config/client_files.ts'
import type { AuthorityConfig, TenantConfig } from '../config/config.ts'
import { documentsIn } from '../config/documents_in.ts'
import { Revocations } from '../endpoint/revocations.ts'
import { openSigningKey } from '../endpoint/signer.ts'
import type { Seal } from '../endpoint/sealing.ts'
import type { Audit } from '../platform/audit.ts'
import { shiftedClock } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { contentsOf } from '../platform/watched.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts'
import { Policy } from '../policy/policy.ts'
import type { Store } from '../store/store.ts'
import { auditSeed, openState } from './authority_state.ts'
import type { Surroundings } from './surroundings.ts'
import { MAX_DOCUMENT_BYTES, policySurroundings } from './tenant.ts'

/** What an operator's command works on: the state of one tenant, beside whatever process runs on it. */
export interface Administration {
  readonly tenant: TenantConfig
  /**
   * Read by those commands alone that need it: a policy that is broken, which a running authority outlives, must not keep
   * anybody from ending tokens.
   * @throws OperatorFault
   */
  readonly policy: () => Promise<Policy>
  /** The same of client files. */
  readonly clientsOfFiles: () => Promise<readonly ClientConfig[]>
  readonly store: Store
  readonly seal: Seal
  readonly audit: Audit
  readonly revocations: Revocations
  readonly retentionDays: number
  readonly surroundings: Surroundings
}

/**
 * Opens the state as the authority does, lets a command work on it, and closes it. What a command records is a chain of its
 * own, which ends with it.
 * @throws OperatorFault
 */
export async function administer<T>(
  config: AuthorityConfig,
  slug: string | undefined,
  around: Surroundings,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const tenant = tenantOf(config, slug)
  // The clock that tokens are issued by. By one that is behind it, a revocation would miss the newest of them.
  const clock = shiftedClock(around.clock, config.clockOffsetMs)
  const surroundings = { ...around, clock }
  const policy = async (): Promise<Policy> => (await readPolicy(tenant, surroundings)).policy
  // A store that is not there would be made, empty, and everything said of it would be true.
  await surroundings.files.list(config.storeFile)
  const { store, seal } = await openState(config, surroundings)
  try {
    // With another key file a command could write what the authority then cannot open.
    for (const key of await store.signingKeys(tenant.slug)) openSigningKey(key, seal)
    const audit = new Journal({ store, ...surroundings, seed: auditSeed(seal) })
    const revocations = new Revocations({ tenant: tenant.slug, store, clock })
    const result = await work({
      tenant,
      policy,
      clientsOfFiles: () => readClients(tenant, surroundings),
      store,
      seal,
      audit,
      revocations,
      retentionDays: config.audit.retentionDays,
      surroundings,
    })
    await audit.close()
    return result
  } finally {
    await store.close()
  }
}

/**
 * The tenant that an operator means.
 * @throws OperatorFault
 */
export function tenantOf({ tenants }: AuthorityConfig, slug: string | undefined): TenantConfig {
  const names = tenants.map((tenant) => tenant.slug).join(', ')
  const [only] = tenants
  if (slug === undefined) {
    if (only && tenants.length === 1) return only
    throw new OperatorFault(`--tenant must say which of them is meant: ${names}`)
  }
  const named = tenants.find((tenant) => tenant.slug === slug)
  if (named) return named
  throw new OperatorFault(`the configuration has no such tenant; it has ${names}`)
}

/**
 * The trust policy of a tenant as it lies on disk now.
 * @throws OperatorFault
 */
export async function readPolicy(
  tenant: TenantConfig,
  { files }: Pick<Surroundings, 'files'>,
): Promise<CompiledPolicy> {
  const { policy } = tenant
  if (policy === undefined) return { policy: new Policy([]), conflicts: [] }
  const written = documentsIn(policy, await contentsOf(policy, MAX_DOCUMENT_BYTES, files), 'policy')
  return compilePolicy(written, policySurroundings(tenant))
}

/**
 * The clients of a tenant's client files as they lie on disk now.
 * @throws OperatorFault
 */
export async function readClients(
  tenant: TenantConfig,
  { files }: Pick<Surroundings, 'files'>,
): Promise<readonly ClientConfig[]> {
  const { clientFiles } = tenant
  if (clientFiles === undefined) return []
  return parseClientFiles(
    documentsIn(clientFiles, await contentsOf(clientFiles, MAX_DOCUMENT_BYTES, files), 'client'),
    tenant,
  )
}
