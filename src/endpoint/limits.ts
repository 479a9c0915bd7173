import { LRUCache } from 'lru-cache'
import type { LimitsConfig } from '../config/bounds.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Clock } from '../platform/clock.ts'

/** Whose budget a request is charged to. */
export type Charge =
  | { readonly kind: 'client' | 'grant'; readonly tenant: string; readonly id: string }
  | {
      readonly kind: 'workload'
      readonly tenant: string
      readonly provider: string
      /** Uid of the pod, or the subject where there is no pod. */
      readonly uid: string
    }

interface Bucket {
  tokens: number
  at: number
}

/** So many callers are remembered; one that was forgotten begins with a full budget, so a flood of names gains nothing but that. */
const MAX_BUCKETS = 50_000

class Buckets {
  readonly #perMinute: number
  readonly #clock: Clock
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS })

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute
    this.#clock = clock
  }

  /** Takes one. Seconds to wait where there is none. */
  take(key: string): number | undefined {
    const bucket = this.#filled(key)
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 60) / this.#perMinute)
    bucket.tokens -= 1
    return undefined
  }

  #filled(key: string): Bucket {
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#perMinute, at: now }
    const gained = ((now - bucket.at) * this.#perMinute) / 60_000
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + gained)
    bucket.at = now
    this.#buckets.set(key, bucket)
    return bucket
  }
}

/**
 * How often the authority may be asked. A client is charged once it is known to be that client, so that nobody can use up
 * another's budget; failures are charged to where they come from. Counted in this process.
 */
export class Limits {
  readonly #clients: Buckets
  readonly #workloads: Buckets
  readonly #failures: Buckets

  constructor(config: LimitsConfig, clock: Clock) {
    this.#clients = new Buckets(config.clientPerMinute, clock)
    this.#workloads = new Buckets(config.workloadPerMinute, clock)
    this.#failures = new Buckets(config.failuresPerMinute, clock)
  }

  /** Refused where a client or a workload has no budget left. */
  spend(charge: Charge): OAuthError | undefined {
    const wait =
      charge.kind !== 'workload'
        ? this.#clients.take(JSON.stringify([charge.kind, charge.tenant, charge.id]))
        : this.#workloads.take(JSON.stringify([charge.tenant, charge.provider, charge.uid]))
    return wait === undefined ? undefined : tooMany(wait, `${charge.kind}_limit`)
  }

  /** Charges a failure to an address. Where that has failed too often already, this is what it is told instead. */
  failed(address: string | undefined): OAuthError | undefined {
    const wait = address === undefined ? undefined : this.#failures.take(address)
    return wait === undefined ? undefined : tooMany(wait, 'failure_limit')
  }
}

function tooMany(retryAfterSeconds: number, reason: string): OAuthError {
  return new OAuthError('too_many_requests', { retryAfterSeconds, reason })
}
