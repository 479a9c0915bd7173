import type { UserConfig } from '../config/user.ts'
import type { Store } from '../store/store.ts'

/**
 * The users of a tenant: who they are stands in the configuration or, of local users, in the store, and whether they are let in,
 * in the store.
 */
export class Users {
  readonly #tenant: string
  readonly #users: ReadonlyMap<string, UserConfig>
  readonly #store: Pick<Store, 'isUserDisabled' | 'localUser'>

  constructor(
    tenant: string,
    users: readonly UserConfig[],
    store: Pick<Store, 'isUserDisabled' | 'localUser'>,
  ) {
    this.#tenant = tenant
    this.#users = new Map(users.map((user) => [user.sub, user]))
    this.#store = store
  }

  /** A user who is there and not disabled. */
  async active(sub: string): Promise<UserConfig | undefined> {
    const user = this.#users.get(sub) ?? (await this.#local(sub))
    if (!user) return undefined
    return (await this.#store.isUserDisabled(this.#tenant, sub)) ? undefined : user
  }

  async #local(sub: string): Promise<UserConfig | undefined> {
    // A client or an agent is asked for here, too, at each token: only what can be a local user costs a look at the store.
    if (!isLocalSub(sub)) return undefined
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
}

const LOCAL = 'local:'

/** Whether a `sub` is one of a local user, by its form. */
export function isLocalSub(sub: string): boolean {
  return sub.startsWith(LOCAL)
}

/** A `sub` for a new local user: a client id has no colon, and an agent that took it would have to guess it. */
export function newLocalSub(uuid: string): string {
  return LOCAL + uuid
}
