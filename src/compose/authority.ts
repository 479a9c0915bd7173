import type { AuthorityConfig, TenantConfig } from '../config/config.ts'
import { authorityListener } from '../endpoint/listener.ts'
import { Seal } from '../endpoint/sealing.ts'
import { openSigner } from '../endpoint/signer.ts'
import type { Tenant } from '../endpoint/tenant.ts'
import { tokenEndpoint, type TokenEndpoint } from '../endpoint/token.ts'
import { handlerOf } from '../platform/listen.ts'
import { shiftedClock } from '../platform/clock.ts'
import { Watched } from '../platform/watched.ts'
import { Ceiling } from '../policy/ceiling.ts'
import { compilePolicy, policyFiles, type CompiledPolicy } from '../policy/compile.ts'
import { Policy } from '../policy/policy.ts'
import { showFault } from '../config/document.ts'
import { sqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import type { KubernetesProvider } from '../verifier/kubernetes.ts'
import { verifierOf } from '../verifier/registry.ts'
import { openKeys } from './key_sources.ts'
import { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'
import { listenWithTls } from './tls.ts'

const MAX_POLICY_BYTES = 4_194_304

/** The role `authority`, running. */
export interface RunningAuthority {
  readonly token: TokenEndpoint
  readonly addresses: readonly string[]
  /** Calls back when the trust policy of a tenant changed. */
  onPolicyChange(tenant: string, then: () => void): void
  stop(graceMs: number): Promise<void>
}

/**
 * Wires the token endpoint of every tenant and listens.
 * @throws OperatorFault
 */
export async function startAuthority(
  config: AuthorityConfig,
  surroundings: Surroundings,
): Promise<RunningAuthority> {
  const opened = new Opened()
  const clock = shiftedClock(surroundings.clock, config.clockOffsetMs)
  try {
    return await open(config, { ...surroundings, clock }, opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function open(
  config: AuthorityConfig,
  surroundings: Surroundings,
  opened: Opened,
): Promise<RunningAuthority> {
  const keyText = await surroundings.files.read(config.keyEncryptionFile, 1_024)
  const seal = Seal.parse(keyText.toString('utf8'), surroundings.random)
  const store = sqliteStore(config.storeFile)
  opened.add(() => store.close())
  const tenants = new Map<string, Tenant>()
  const policies = new Map<string, Watched<CompiledPolicy>>()
  for (const tenant of config.tenants) {
    const policy = await openPolicy(tenant, surroundings)
    if (policy) policies.set(tenant.slug, opened.follow(policy))
    const current = (): Policy => policy?.current().policy ?? nobody
    tenants.set(
      tenant.slug,
      await openTenant(tenant, current, { store, seal, opened, surroundings }),
    )
  }
  const token = tokenEndpoint({ tenants, ...surroundings })
  const app = authorityListener({ origin: config.origin, tenants, token, ...surroundings })
  await app.ready()
  opened.add(() => app.close())
  const listening = await listenWithTls(config, handlerOf(app), opened, surroundings)
  return {
    token,
    addresses: listening.addresses,
    onPolicyChange: (tenant, then) => policies.get(tenant)?.onChange(then),
    stop: async (graceMs) => {
      await listening.close(graceMs)
      await opened.close()
    },
  }
}

/** A tenant without a policy has no agents. */
const nobody = new Policy([])

async function openPolicy(
  tenant: TenantConfig,
  surroundings: Surroundings,
): Promise<Watched<CompiledPolicy> | undefined> {
  if (tenant.policy === undefined) return undefined
  const around = {
    providers: tenant.providers.map(({ name }) => name),
    clientIds: tenant.clients.map(({ id }) => id),
  }
  return Watched.open(
    {
      what: 'policy',
      paths: [tenant.policy],
      maxBytes: MAX_POLICY_BYTES,
      parse: (contents) => {
        const compiled = compilePolicy(policyFiles(tenant.policy ?? '', contents), around)
        for (const conflict of compiled.conflicts) {
          surroundings.log.error('an agent of the trust policy is left out', {
            tenant: tenant.slug,
            reason: showFault(conflict),
          })
        }
        return compiled
      },
    },
    surroundings,
  )
}

interface TenantNeeds {
  readonly store: Store
  readonly seal: Seal
  readonly opened: Opened
  readonly surroundings: Surroundings
}

async function openTenant(
  config: TenantConfig,
  policy: () => Policy,
  { store, seal, opened, surroundings }: TenantNeeds,
): Promise<Tenant> {
  const { clock } = surroundings
  const providers: KubernetesProvider[] = []
  for (const provider of config.providers) {
    providers.push({ ...provider, keys: await openKeys(provider, opened, surroundings) })
  }
  return {
    slug: config.slug,
    issuer: config.issuer,
    atOrigin: config.atOrigin,
    clients: new Map(
      config.clients.map(({ grants, maxTargets, ...client }) => [
        client.id,
        { ...client, ceiling: new Ceiling(grants, maxTargets) },
      ]),
    ),
    signer: await openSigner(config.slug, config.algorithm, { store, seal, clock }),
    verifier: verifierOf(providers, clock),
    policy,
  }
}
