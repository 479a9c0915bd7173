import { auditKeys } from '../audit/chain.ts'
import { Journal } from '../audit/journal.ts'
import { retainAudit } from '../audit/retention.ts'
import type { AuthorityConfig } from '../config/config.ts'
import {
  issueCode,
  type AuthorizationRequest,
  type Consent,
} from '../endpoint/authorize/issue_code.ts'
import { ClientAssertions } from '../endpoint/client/assertion.ts'
import { recordExpired } from '../endpoint/account/expired.ts'
import { Limits } from '../endpoint/limits.ts'
import { authorityListener } from '../endpoint/listener.ts'
import type { Seal } from '../endpoint/sealing.ts'
import type { Tenant } from '../endpoint/tenant.ts'
import { tokenEndpoint, type TokenEndpoint } from '../endpoint/token.ts'
import type { OAuthError } from '../oauth/errors.ts'
import { repeatedly, shiftedClock, unixSeconds } from '../platform/clock.ts'
import type { Audit } from '../platform/audit.ts'
import { handlerOf } from '../platform/listen.ts'
import { causeOf } from '../platform/log.ts'
import { memoryHttp, type MemoryHttp } from '../platform/memory_http.ts'
import type { Watched } from '../platform/watched.ts'
import type { CompiledPolicy } from '../policy/compile.ts'
import { Policy } from '../policy/policy.ts'
import type { Store } from '../store/store.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'
import { auditSeed, openState } from './authority_state.ts'
import { browserSide } from './browser_side.ts'
import { openPolicy, openTenant } from './tenant.ts'
import { listenWithTls } from './tls.ts'

/** What a command did to the store is seen within this. */
const LOOK_EVERY_MS = 1_000
const TIDY_EVERY_MS = 600_000

/** The role `authority`, running. */
export interface RunningAuthority {
  readonly token: TokenEndpoint
  /** Its routes without a socket, for the broker of this process and nobody else. */
  readonly http: MemoryHttp
  /** What verifies the proofs of a tenant; undefined: there is no such tenant. */
  verifierOf(tenant: string): Verifier | undefined
  readonly addresses: readonly string[]
  /** Issues an authorization code, for whatever showed a user what they agree to. Undefined: there is no such tenant. */
  issueCode(
    tenant: string,
    request: AuthorizationRequest,
    consent: Consent,
  ): Promise<string | OAuthError | undefined>
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
  const { clock } = surroundings
  const { store, seal } = await openState(config, surroundings)
  opened.add(() => store.close())
  const audit = new Journal({ store, ...surroundings, seed: auditSeed(seal) })
  opened.add(() => closeJournal(audit, surroundings))
  const { tenants, policies } = await openTenants(config, { store, seal, opened, surroundings })
  opened.add(repeatedly(clock, LOOK_EVERY_MS, () => look(tenants, audit, surroundings)))
  opened.add(repeatedly(clock, TIDY_EVERY_MS, () => tidy(store, seal, config, surroundings)))
  const parts = {
    tenants,
    assertions: new ClientAssertions({ store, clock }),
    limits: new Limits(config.limits, clock),
    audit,
    ...surroundings,
  }
  const token = tokenEndpoint(parts)
  const app = authorityListener({
    origin: config.origin,
    trustedProxies: config.trustedProxies,
    token,
    ...browserSide(parts),
    ...parts,
  })
  await app.ready()
  opened.add(() => app.close())
  const listening = await listenWithTls(
    { role: 'authority', handler: handlerOf(app), addresses: [config.listen] },
    config.tls,
    opened,
    surroundings,
  )
  return {
    token,
    http: memoryHttp(handlerOf(app)),
    verifierOf: (slug) => tenants.get(slug)?.verifier,
    addresses: listening.addresses,
    issueCode: async (slug, request, consent) => {
      const tenant = tenants.get(slug)
      const code = tenant && (await issueCode(request, consent, tenant))
      if (typeof code !== 'string') return code
      await audit.record({
        event: 'code.issued',
        tenant: slug,
        outcome: 'success',
        client_id: request.clientId,
        subject: consent.sub,
      })
      return code
    },
    onPolicyChange: (tenant, then) => policies.get(tenant)?.onChange(then),
    stop: async (graceMs) => {
      await listening.close(graceMs)
      await opened.close()
    },
  }
}

/** A tenant without a policy has no agents. */
const nobody = new Policy([])

async function openTenants(
  config: AuthorityConfig,
  needs: Omit<Parameters<typeof openTenant>[2], 'origin'>,
) {
  const tenants = new Map<string, Tenant>()
  const policies = new Map<string, Watched<CompiledPolicy>>()
  for (const tenant of config.tenants) {
    const policy = await openPolicy(tenant, needs.surroundings)
    if (policy) policies.set(tenant.slug, needs.opened.follow(policy))
    const current = (): Policy => policy?.current().policy ?? nobody
    const { origin } = config
    tenants.set(tenant.slug, await openTenant(tenant, current, { origin, ...needs }))
  }
  return { tenants, policies }
}

/** A store that is out leaves the keys as they are; requests say that it is out. */
async function look(
  tenants: ReadonlyMap<string, Tenant>,
  audit: Audit,
  { log }: Surroundings,
): Promise<void> {
  for (const tenant of tenants.values()) {
    try {
      await tenant.signer.look()
      await recordExpired(tenant, audit)
    } catch (error) {
      log.warn('keys and approvals could not be looked at', {
        tenant: tenant.slug,
        ...causeOf(error),
      })
    }
  }
}

async function tidy(store: Store, seal: Seal, config: AuthorityConfig, around: Surroundings) {
  const { clock, log } = around
  const { privateKey } = auditKeys(auditSeed(seal))
  try {
    await store.prune(unixSeconds(clock))
    await retainAudit({ store, clock, privateKey }, config.audit.retentionDays)
  } catch (error) {
    log.warn('the store could not be tidied', causeOf(error))
  }
}

/** A segment whose end cannot be signed stays open; that is no reason not to end. */
async function closeJournal(audit: Journal, { log }: Surroundings): Promise<void> {
  try {
    await audit.close()
  } catch (error) {
    log.warn('the audit trail was left open', causeOf(error))
  }
}
