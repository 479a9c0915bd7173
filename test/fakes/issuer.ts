import type { FetchedKeys } from '../../src/verifier/keys/fetch_keys.ts'
import { KeySet } from '../../src/verifier/keys/key_set.ts'
import type { FakeCluster } from './cluster.ts'

/**
 * Where the keys of clusters are published. It is up or down, and counts who asks. While it is held, every answer waits
 * until it is released.
 */
export class FakeIssuer {
  fetches = 0
  down = false
  maxAgeSeconds: number | undefined
  #clusters: readonly FakeCluster[]
  #gate: PromiseWithResolvers<void> | undefined

  constructor(...clusters: readonly FakeCluster[]) {
    this.#clusters = clusters
  }

  /** Publishes the keys of these clusters and no others. */
  publish(...clusters: readonly FakeCluster[]): void {
    this.#clusters = clusters
  }

  hold(): void {
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  fetch = async (): Promise<FetchedKeys> => {
    this.fetches += 1
    await this.#gate?.promise
    if (this.down) throw new Error('the issuer is down')
    const sets = await Promise.all(this.#clusters.map((cluster) => cluster.jwks()))
    const text = JSON.stringify({ keys: sets.flatMap(({ keys }) => keys) })
    return { keys: KeySet.parse(text), text, maxAgeSeconds: this.maxAgeSeconds }
  }
}
