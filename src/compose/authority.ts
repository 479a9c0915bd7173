import { createSecureContext } from 'node:tls'
import type { AuthorityConfig, ProviderConfig, TenantConfig, TlsFiles } from '../config/config.ts'
import { authorityListener } from '../endpoint/listener.ts'
import { Seal } from '../endpoint/sealing.ts'
import { openSigner } from '../endpoint/signer.ts'
import type { Tenant } from '../endpoint/tenant.ts'
import { tokenEndpoint, type TokenEndpoint } from '../endpoint/token.ts'
import {
  handlerOf,
  listen,
  type Listening,
  type RequestHandler,
  type TlsPair,
} from '../platform/listen.ts'
import { shiftedClock } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import { Ceiling } from '../policy/ceiling.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts'
import { Policy } from '../policy/policy.ts'
import { showFault } from '../config/document.ts'
import { sqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { fetchKeys } from '../verifier/fetch_keys.ts'
import { KeySet } from '../verifier/key_set.ts'
import { localKeys, type KeySource } from '../verifier/key_source.ts'
import type { KubernetesProvider } from '../verifier/kubernetes.ts'
import { verifierOf } from '../verifier/registry.ts'
import { RemoteKeys } from '../verifier/remote_keys.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_POLICY_BYTES = 4_194_304
const MAX_KEY_FILE_BYTES = 524_288

/** The role `authority`, running. */
export interface RunningAuthority {
  readonly token: TokenEndpoint
  readonly addresses: readonly string[]
  /** Calls back when the trust policy of a tenant changed. */
  onPolicyChange(tenant: string, then: () => void): void
  stop(graceMs: number): Promise<void>
}

/** Everything that has to be closed again; in the order in which it was opened. */
class Opened {
  readonly #closers: (() => void | Promise<void>)[] = []

  follow<T>(watched: Watched<T>): Watched<T> {
    this.#closers.push(() => {
      watched.stop()
    })
    return watched
  }

  add(close: () => void | Promise<void>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close()
  }
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
        const files = contents.map(({ path, bytes }) => ({ path, text: bytes.toString('utf8') }))
        const compiled = compilePolicy(files, around)
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

async function openKeys(
  { name, issuers, keys }: ProviderConfig,
  opened: Opened,
  surroundings: Surroundings,
): Promise<KeySource> {
  switch (keys.from) {
    case 'inline': {
      const set = KeySet.from(keys.jwks)
      return localKeys(() => set)
    }
    case 'file': {
      const watched = await Watched.open(
        {
          what: 'keys',
          paths: [keys.file],
          maxBytes: MAX_KEY_FILE_BYTES,
          parse: ([content]) => KeySet.parse(content?.bytes.toString('utf8') ?? ''),
        },
        surroundings,
      )
      opened.follow(watched)
      return localKeys(() => watched.current())
    }
    case 'jwksUrl':
    case 'discovery': {
      const location = {
        from: keys.from === 'jwksUrl' ? { jwksUrl: keys.url } : { discoveryOf: issuers[0] ?? '' },
        hosts: keys.from === 'discovery' ? keys.hosts : [],
        caFile: keys.caFile,
        bearerTokenFile: keys.bearerTokenFile,
      }
      return new RemoteKeys(name, () => fetchKeys(location, surroundings), surroundings)
    }
  }
}

async function listenWithTls(
  config: AuthorityConfig,
  handler: RequestHandler,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Listening> {
  const options = { role: 'authority', handler, addresses: [config.listen] }
  if (!config.tls) return listen(options, surroundings.clock)
  const pair = opened.follow(await openTls(config.tls, surroundings))
  const listening = await listen({ ...options, tls: pair.current() }, surroundings.clock)
  pair.onChange((changed) => {
    listening.useTls(changed)
  })
  return listening
}

function openTls(
  { certFile, keyFile }: TlsFiles,
  surroundings: Surroundings,
): Promise<Watched<TlsPair>> {
  return Watched.open(
    {
      what: 'tls',
      paths: [certFile, keyFile],
      maxBytes: MAX_KEY_FILE_BYTES,
      parse: ([cert, key]) => {
        const pair = {
          cert: cert?.bytes.toString('utf8') ?? '',
          key: key?.bytes.toString('utf8') ?? '',
        }
        try {
          createSecureContext(pair)
        } catch {
          throw new OperatorFault(`${certFile} and ${keyFile} are no TLS certificate with its key`)
        }
        return pair
      },
    },
    surroundings,
  )
}
