import type { UserConfig } from '../config/user.ts'
import type { Store } from '../store/store.ts'

/** The users of a tenant: who they are stands in the configuration, whether they are let in, in the store. */
export class Users {
  readonly #tenant: string
  readonly #users: ReadonlyMap<string, UserConfig>
  readonly #store: Pick<Store, 'isUserDisabled'>

  constructor(tenant: string, users: readonly UserConfig[], store: Pick<Store, 'isUserDisabled'>) {
    this.#tenant = tenant
    this.#users = new Map(users.map((user) => [user.sub, user]))
    this.#store = store
  }

  /** A user who is there and not disabled. */
  async active(sub: string): Promise<UserConfig | undefined> {
    const user = this.#users.get(sub)
    if (!user) return undefined
    return (await this.#store.isUserDisabled(this.#tenant, sub)) ? undefined : user
  }
}
