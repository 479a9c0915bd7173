import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { ConsentRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'

/** What a client is to have of a user. */
export interface Wanted {
  readonly client: string
  readonly scope: readonly string[]
  readonly targets: readonly string[]
}

interface ConsentsDependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'consent' | 'consents' | 'putConsent' | 'removeConsent'>
  readonly clock: Clock
}

/** What users agreed to, remembered per user, client, scope and target. */
export class Consents {
  readonly #dependencies: ConsentsDependencies

  constructor(dependencies: ConsentsDependencies) {
    this.#dependencies = dependencies
  }

  /** Whether a user has agreed to all of it. To nothing at all nobody has agreed before they were asked. */
  async covers(user: string, { client, scope, targets }: Wanted): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    const given = (await store.consent(tenant, user, client))?.given
    return (
      given !== undefined &&
      placesOf(targets).every((place) => {
        const scopes = new Set([...(given[place] ?? []), ...(given[''] ?? [])])
        return (place in given || '' in given) && scope.every((each) => scopes.has(each))
      })
    )
  }

  /** Remembers it beside what was agreed to before. */
  async give(user: string, { client, scope, targets }: Wanted): Promise<void> {
    const { tenant, store, clock } = this.#dependencies
    const before = (await store.consent(tenant, user, client))?.given ?? {}
    const added = placesOf(targets).map((place) => [
      place,
      [...new Set([...(before[place] ?? []), ...scope])],
    ])
    await store.putConsent({
      tenant,
      user,
      client,
      given: { ...before, ...(Object.fromEntries(added) as typeof before) },
      createdAt: unixSeconds(clock),
    })
  }

  /** All of a user, by client. */
  of(user: string): Promise<readonly ConsentRecord[]> {
    const { tenant, store } = this.#dependencies
    return store.consents(tenant, user)
  }

  async has(user: string, client: string): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    return (await store.consent(tenant, user, client)) !== undefined
  }

  /** False where there is none. */
  takeBack(user: string, client: string): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    return store.removeConsent(tenant, user, client)
  }
}

/** Where no target is named, the scopes are good wherever the client may use them, and the page says where that is. */
function placesOf(targets: readonly string[]): readonly string[] {
  return targets.length === 0 ? [''] : targets
}
