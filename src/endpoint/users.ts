import type { UserConfig } from '../config/user.ts'
import type { Store } from '../store/store.ts'

type UserStore = Pick<Store, 'isUserDisabled' | 'localUser' | 'upstreamUser'>

/** Who may be a user of a tenant, as the configuration says it. */
interface Admitted {
  readonly users: readonly UserConfig[]
  /** Providers whose users are let in: with one that is taken out, they are. */
  readonly upstreams: readonly { readonly issuer: string }[]
}

/**
 * The users of a tenant: who they are stands in the configuration or, of local users and those of other providers, in the store,
 * and whether they are let in, in the store.
 */
export class Users {
  readonly #tenant: string
  readonly #users: ReadonlyMap<string, UserConfig>
  readonly #issuers: ReadonlySet<string>
  readonly #store: UserStore

  constructor(tenant: string, { users, upstreams }: Admitted, store: UserStore) {
    this.#tenant = tenant
    this.#users = new Map(users.map((user) => [user.sub, user]))
    this.#issuers = new Set(upstreams.map(({ issuer }) => issuer))
    this.#store = store
  }

  /** Whether an operator has disabled them. */
  isKeptOut(sub: string): Promise<boolean> {
    return this.#store.isUserDisabled(this.#tenant, sub)
  }

  /** A user who is there and not disabled. */
  async active(sub: string): Promise<UserConfig | undefined> {
    const user = this.#users.get(sub) ?? (await this.#kept(sub))
    if (!user) return undefined
    return (await this.#store.isUserDisabled(this.#tenant, sub)) ? undefined : user
  }

  /** A client or an agent is asked for here, too, at each token: only what can be a kept user costs a look at the store. */
  async #kept(sub: string): Promise<UserConfig | undefined> {
    if (sub.startsWith(LOCAL)) return this.#local(sub)
    return sub.startsWith(UPSTREAM) ? this.#upstream(sub) : undefined
  }

  async #local(sub: string): Promise<UserConfig | undefined> {
    const user = await this.#store.localUser(this.#tenant, sub)
    return (
      user && {
        sub,
        email: user.email,
        // Nobody has shown that the address is theirs.
        emailVerified: false,
        ...(user.name !== undefined && { name: user.name }),
        roles: [],
      }
    )
  }

  async #upstream(sub: string): Promise<UserConfig | undefined> {
    const user = await this.#store.upstreamUser(this.#tenant, sub)
    if (!user || !this.#issuers.has(user.issuer)) return undefined
    const { email, emailVerified, name } = user
    return {
      sub,
      ...(email !== undefined && { email }),
      emailVerified,
      ...(name !== undefined && { name }),
      roles: [],
    }
  }
}

const LOCAL = 'local:'
const UPSTREAM = 'upstream:'

/** A `sub` for a new local user: a client id has no colon, and an agent that took it would have to guess it. */
export function newLocalSub(uuid: string): string {
  return LOCAL + uuid
}

/** A `sub` for a new user of another provider. */
export function newUpstreamSub(uuid: string): string {
  return UPSTREAM + uuid
}
