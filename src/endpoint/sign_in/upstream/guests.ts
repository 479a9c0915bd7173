import type { UpstreamConfig } from '../../../config/upstream.ts'
import { unixSeconds, type Clock } from '../../../platform/clock.ts'
import type { Random } from '../../../platform/random.ts'
import type { Store } from '../../../store/store.ts'
import { newUpstreamSub } from '../../users.ts'
import type { UpstreamIdentity } from './claims.ts'

interface Dependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'putUpstreamUser' | 'upstreamUserOf'>
  readonly clock: Clock
  readonly random: Random
}

const DOMAIN = /^[\x21-\x3f\x41-\x7e]+@([A-Za-z0-9.-]+)$/

/**
 * Whom other providers signed in. They are who they are by issuer and subject, and by nothing else: a provider can say any
 * address, and by the address it would take over whoever has it here.
 */
export class Guests {
  readonly #dependencies: Dependencies

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies
  }

  /** Their `sub` here, with what is new of them kept. Undefined: they are not let in. */
  async admit(
    { issuer, users, emailDomains }: UpstreamConfig,
    { subject, email, emailVerified, name }: UpstreamIdentity,
  ): Promise<string | undefined> {
    const { tenant, store, clock, random } = this.#dependencies
    const known = await store.upstreamUserOf(tenant, issuer, subject)
    if (!known && users === 'known') return undefined
    if (emailDomains.length > 0 && !(emailVerified && isIn(emailDomains, email))) return undefined
    const { sub } = await store.putUpstreamUser({
      tenant,
      issuer,
      subject,
      sub: known?.sub ?? newUpstreamSub(random.uuid()),
      email,
      emailVerified,
      name,
      createdAt: unixSeconds(clock),
    })
    return sub
  }
}

function isIn(domains: readonly string[], email: string | undefined): boolean {
  const [, domain] = DOMAIN.exec(email ?? '') ?? []
  return domain !== undefined && domains.includes(domain.toLowerCase())
}
