import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Act } from '../oauth/act.ts'
import { actorsOf } from '../oauth/act.ts'
import type { RevocationKind, RevocationRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** The longest life of an access token, whatever a rule says (`lifetime` in the schemas). */
export const MAX_TOKEN_SECONDS = 86_400
/** The longest life of a family of refresh tokens (`refreshLifetime` in the schema). */
const MAX_FAMILY_SECONDS = 365 * 86_400

/** What of a token or of a refresh family can be named by a revocation. */
export interface Revocable {
  readonly jti?: string
  /** `jti` of the tokens that it is derived from. */
  readonly derivedFrom?: readonly string[]
  readonly grantId: string
  readonly sub: string
  readonly clientId: string
  readonly act?: Act | undefined
  /** Unix seconds. */
  readonly issuedAt: number
}

interface RevocationsDependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'revoke' | 'isRevoked'>
  readonly clock: Clock
}

/**
 * What was ended before its time. It reaches introspection, userinfo, and tokens that are shown as subject or actor; who
 * verifies offline sees nothing of it until `exp`.
 */
export class Revocations {
  readonly #dependencies: RevocationsDependencies

  constructor(dependencies: RevocationsDependencies) {
    this.#dependencies = dependencies
  }

  /** Also true where an actor of the chain, or its client, or a token that it came of was revoked: what was handed on ends with it. */
  reaches({
    jti,
    derivedFrom = [],
    grantId,
    sub,
    clientId,
    act,
    issuedAt,
  }: Revocable): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    const actors = actorsOf(act)
    const clients = [clientId, ...actors.map((actor) => actor.client_id)]
    return store.isRevoked({
      tenant,
      jtis: [...(jti === undefined ? [] : [jti]), ...derivedFrom],
      grantId,
      subjects: [sub, ...actors.map((actor) => actor.sub)],
      clients,
      pairs: clients.map((client) => pairOf(sub, client)),
      issuedAt,
    })
  }

  /** One access token, until it would have expired. */
  async endToken(jti: string, expiresAt: number): Promise<void> {
    await this.#write([{ kind: 'jti', value: jti }], expiresAt)
  }

  /** Everything that was made of one grant and will be. */
  async endGrant(grantId: string): Promise<void> {
    await this.#write([{ kind: 'grant', value: grantId }])
  }

  /** What was issued up to now for these. What is issued later is good again, if the trust policy still gives it. */
  async endUntilNow(
    named: readonly { readonly kind: 'subject' | 'client' | 'tenant'; readonly value: string }[],
  ): Promise<void> {
    const { clock } = this.#dependencies
    await this.#write(named, undefined, unixSeconds(clock))
  }

  /** What a client has of a subject by now, whether the token is its own or it acts by it. */
  async endPair(sub: string, client: string): Promise<void> {
    const { clock } = this.#dependencies
    const value = pairOf(sub, client)
    await this.#write([{ kind: 'pair', value }], undefined, unixSeconds(clock))
  }

  /** A token or a grant that ended never comes back, so nothing that bears its name is too new to be meant. */
  #write(
    named: readonly { readonly kind: RevocationKind; readonly value: string }[],
    lastExpiry?: number,
    notBefore?: number,
  ): Promise<void> {
    const { tenant, store, clock } = this.#dependencies
    const expiresAt = lastExpiry ?? unixSeconds(clock) + MAX_FAMILY_SECONDS + MAX_TOKEN_SECONDS
    const records: readonly RevocationRecord[] = named.map(({ kind, value }) => ({
      tenant,
      kind,
      value,
      notBefore: notBefore ?? expiresAt,
      expiresAt,
    }))
    return store.revoke(records)
  }
}

/** No two pairs have one text: neither part can hold the quotes of the other. */
function pairOf(sub: string, client: string): string {
  return JSON.stringify([sub, client])
}
