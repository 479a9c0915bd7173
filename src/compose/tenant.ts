import { Consents } from '../endpoint/authorize/consents.ts'
import { PushedRequests } from '../endpoint/authorize/pushed.ts'
import { Sessions } from '../endpoint/browser/session.ts'
import type { ClientConfig } from '../config/client.ts'
import { parseClientFiles } from '../config/client_files.ts'
import type { TenantConfig } from '../config/config.ts'
import { documentsIn } from '../config/documents_in.ts'
import { kindProven } from '../config/provider/config.ts'
import { tellFault } from '../config/document.ts'
import { AccessTokens } from '../endpoint/access_token.ts'
import { ApiKeys } from '../endpoint/authz/api_keys.ts'
import { Approvals } from '../endpoint/approvals.ts'
import { Clients } from '../endpoint/client/registry.ts'
import { Codes } from '../endpoint/code.ts'
import { DpopNonces } from '../endpoint/dpop/nonce.ts'
import { DpopVerifier } from '../endpoint/dpop/proof.ts'
import { RefreshTokens } from '../endpoint/refresh_token.ts'
import { Revocations } from '../endpoint/revocations.ts'
import type { Seal } from '../endpoint/sealing.ts'
import { openSigner } from '../endpoint/signer.ts'
import type { Tenant } from '../endpoint/tenant.ts'
import { Users } from '../endpoint/users.ts'
import { unixSeconds } from '../platform/clock.ts'
import { Watched } from '../platform/watched.ts'
import type { PermissionEngine } from '../policy/permissions/engine.ts'
import { compileRoles, Roles } from '../policy/permissions/roles.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store/store.ts'
import { Providers } from '../verifier/registry.ts'
import type { Opened } from './opened.ts'
import { openProviders } from './providers.ts'
import type { Surroundings } from './surroundings.ts'
import { openUpstreams } from './upstreams.ts'

/** Of each file of a trust policy or of clients. */
export const MAX_DOCUMENT_BYTES = 4_194_304
const none: readonly ClientConfig[] = []

export interface TenantNeeds {
  readonly origin: string
  readonly store: Store
  readonly seal: Seal
  readonly opened: Opened
  readonly surroundings: Surroundings
}

/** Wires everything of one tenant. */
export async function openTenant(
  config: TenantConfig,
  policy: () => Policy,
  needs: TenantNeeds,
): Promise<Tenant> {
  const clientFiles = await openClientFiles(config, needs)
  const permissions = await openRoles(config, needs)
  const { origin, store, seal, surroundings } = needs
  const { clock, random } = surroundings
  const { slug, issuer } = config
  const users = new Users(slug, config, store)
  const clients = new Clients({
    tenant: slug,
    configured: config.clients,
    ofFiles: clientFiles,
    store,
    policy,
    users: new Set(config.users.map(({ sub }) => sub)),
  })
  const signer = await openSigner(slug, config.algorithm, { store, seal, clock })
  const revocations = new Revocations({ tenant: slug, store, clock })
  const isKnown = async (clientId: string, sub: string): Promise<boolean> =>
    (await clients.party(clientId)) !== undefined &&
    (policy().ofSubject(sub) ?? (await users.active(sub)) ?? (await clients.find(sub))) !==
      undefined
  return {
    slug,
    issuer,
    atOrigin: config.atOrigin,
    settings: config,
    clients,
    users,
    sessions: new Sessions({
      tenant: slug,
      isSecure: origin.startsWith('https:'),
      key: seal.derive('forms'),
      store,
      clock,
      random,
    }),
    upstreams: openUpstreams(config, needs),
    trustedOrigins: new Set(config.trustedOrigins),
    consents: new Consents({ tenant: slug, store, clock }),
    pushed: new PushedRequests({ tenant: slug, store, clock, random }),
    localUser: async (email) =>
      config.passwords ? store.localUserByEmail(slug, email) : undefined,
    signer,
    verifier: new Providers(await openProviders(config, needs), clock),
    accessTokens: new AccessTokens({ issuer, signer, revocations, isKnown, clock }),
    apiKeys: new ApiKeys({ tenant: slug, store, clients, clock }),
    codes: new Codes({
      tenant: slug,
      lifetimeSeconds: config.codeLifetimeSeconds,
      store,
      clock,
      random,
    }),
    refreshTokens: new RefreshTokens({
      tenant: slug,
      key: seal.derive('refresh tokens'),
      store,
      clock,
      random,
    }),
    revocations,
    dpop: new DpopVerifier({
      nonces: new DpopNonces(seal.derive('DPoP nonces'), clock),
      store,
      clock,
      nonceRequired: config.dpopNonceRequired,
    }),
    urls: (path) => ['t', 'orgs'].map((prefix) => `${origin}/${prefix}/${slug}/api/v1${path}`),
    isPast: (moment) => moment <= unixSeconds(clock),
    approvals: new Approvals({ tenant: slug, store, clock, random }),
    userGrant: (user, agent) => store.userGrant(slug, user, agent),
    userGrants: (user) => store.userGrants(slug, user),
    removeUserGrant: (user, agent) => store.removeUserGrant(slug, user, agent),
    permissions,
    policy,
  }
}

/** The roles of a tenant, followed while they change. */
async function openRoles(
  { roles: path, users }: TenantConfig,
  { opened, surroundings }: Pick<TenantNeeds, 'opened' | 'surroundings'>,
): Promise<PermissionEngine> {
  if (path === undefined) return Roles.none
  const watched = opened.follow(
    await Watched.open(
      {
        what: 'roles',
        paths: [path],
        maxBytes: MAX_DOCUMENT_BYTES,
        parse: (contents) => compileRoles(documentsIn(path, contents, 'role'), users),
      },
      surroundings,
    ),
  )
  return {
    check: (...question) => watched.current().check(...question),
    permissionsOf: (subject) => watched.current().permissionsOf(subject),
  }
}

/** The clients of a tenant's client files, followed while they change. */
async function openClientFiles(
  config: TenantConfig,
  { opened, surroundings }: Pick<TenantNeeds, 'opened' | 'surroundings'>,
): Promise<() => readonly ClientConfig[]> {
  const { clientFiles } = config
  if (clientFiles === undefined) return () => none
  const watched = opened.follow(
    await Watched.open(
      {
        what: 'clients',
        paths: [clientFiles],
        maxBytes: MAX_DOCUMENT_BYTES,
        parse: (contents) => parseClientFiles(documentsIn(clientFiles, contents, 'client'), config),
      },
      surroundings,
    ),
  )
  return () => watched.current()
}

/** The trust policy of a tenant, followed while it changes. Undefined: the tenant has none. */
export async function openPolicy(
  tenant: TenantConfig,
  surroundings: Surroundings,
): Promise<Watched<CompiledPolicy> | undefined> {
  const { policy } = tenant
  if (policy === undefined) return undefined
  const around = policySurroundings(tenant)
  return Watched.open(
    {
      what: 'policy',
      paths: [policy],
      maxBytes: MAX_DOCUMENT_BYTES,
      parse: (contents) => {
        const compiled = compilePolicy(documentsIn(policy, contents, 'policy'), around)
        for (const conflict of compiled.conflicts) {
          surroundings.log.error('an agent of the trust policy is left out', {
            tenant: tenant.slug,
            reason: tellFault(conflict),
          })
        }
        return compiled
      },
    },
    surroundings,
  )
}

/** What the policy of a tenant has to agree with. */
export function policySurroundings({ providers, clients, users }: TenantConfig) {
  return {
    providers: new Map(providers.map((provider) => [provider.name, kindProven(provider)])),
    takenIds: [...clients.map(({ id }) => id), ...users.map(({ sub }) => sub)],
  }
}
