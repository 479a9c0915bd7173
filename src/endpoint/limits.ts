import { LRUCache } from 'lru-cache'
import type { LimitsConfig } from '../config/bounds.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Authorization } from './grants/grant.ts'

/** Whose budget a request is charged to. */
export type Charge =
  | {
      readonly kind: 'client' | 'grant' | 'introspection'
      readonly tenant: string
      readonly id: string
    }
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

/** So many in so long; all of them may come at once. */
interface Rate {
  readonly count: number
  readonly seconds: number
}

class Buckets {
  readonly #clock: Clock
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes one. Seconds to wait where there is none. */
  take(key: string, rate: Rate): number | undefined {
    const wait = this.peek(key, rate)
    if (wait === undefined) this.#filled(key, rate).tokens -= 1
    return wait
  }

  /** Puts one back that was taken. */
  give(key: string, rate: Rate): void {
    this.#filled(key, rate).tokens += 1
  }

  /** The same without taking. */
  peek(key: string, rate: Rate): number | undefined {
    const { tokens } = this.#filled(key, rate)
    return tokens < 1 ? Math.ceil(((1 - tokens) * rate.seconds) / rate.count) : undefined
  }

  #filled(key: string, { count, seconds }: Rate): Bucket {
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: count, at: now }
    const gained = ((now - bucket.at) * count) / (seconds * 1000)
    bucket.tokens = Math.min(count, bucket.tokens + gained)
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
  readonly #config: LimitsConfig
  readonly #clients: Buckets
  readonly #workloads: Buckets
  readonly #agents: Buckets
  readonly #subjects: Buckets
  readonly #failures: Buckets
  readonly #passwords: Buckets

  constructor(config: LimitsConfig, clock: Clock) {
    this.#config = config
    this.#clients = new Buckets(clock)
    this.#workloads = new Buckets(clock)
    this.#agents = new Buckets(clock)
    this.#subjects = new Buckets(clock)
    this.#failures = new Buckets(clock)
    this.#passwords = new Buckets(clock)
  }

  /** Refused where a client or a workload has no budget left. */
  spend(charge: Charge): OAuthError | undefined {
    const wait =
      charge.kind !== 'workload'
        ? this.#clients.take(
            JSON.stringify([charge.kind, charge.tenant, charge.id]),
            perMinute(this.#perMinuteOf(charge.kind)),
          )
        : this.#workloads.take(
            JSON.stringify([charge.tenant, charge.provider, charge.uid]),
            perMinute(this.#config.workloadPerMinute),
          )
    return wait === undefined ? undefined : tooMany(wait, `${charge.kind}_limit`)
  }

  #perMinuteOf(kind: Exclude<Charge['kind'], 'workload'>): number {
    const { clientPerMinute, introspectionsPerMinute } = this.#config
    return kind === 'introspection' ? introspectionsPerMinute : clientPerMinute
  }

  /**
   * Refused where the trust policy gives an agent, or whoever acts for a subject, no more. Charged when everything else is
   * proven: an agent that was talked into asking for everybody it knows of is held back by subject and by number.
   */
  spendOfParty(
    tenant: string,
    { party, sub, act, byHolder = false }: Authorization,
  ): OAuthError | undefined {
    if (byHolder) return undefined
    const { exchangesPerMinute } = party.agent ?? {}
    if (exchangesPerMinute !== undefined) {
      const wait = this.#agents.take(
        JSON.stringify([tenant, party.id]),
        perMinute(exchangesPerMinute),
      )
      if (wait !== undefined) return tooMany(wait, 'agent_limit')
    }
    const { perSubjectPerHour } = party.delegation ?? {}
    if (!act || perSubjectPerHour === undefined) return undefined
    const wait = this.#subjects.take(JSON.stringify([tenant, party.id, sub]), {
      count: perSubjectPerHour,
      seconds: 3_600,
    })
    return wait === undefined ? undefined : tooMany(wait, 'delegation_limit')
  }

  /**
   * What an address is told that has failed too often already, without charging it. Asked before work that somebody
   * unproven has others do: a question to STS, a row in the store.
   */
  exhausted(address: string | undefined): OAuthError | undefined {
    if (address === undefined) return undefined
    const wait = this.#failures.peek(address, perMinute(this.#config.failuresPerMinute))
    return wait === undefined ? undefined : tooMany(wait, 'failure_limit')
  }

  /** Charges a failure to an address. Where that has failed too often already, this is what it is told instead. */
  failed(address: string | undefined): OAuthError | undefined {
    const wait =
      address === undefined
        ? undefined
        : this.#failures.take(address, perMinute(this.#config.failuresPerMinute))
    return wait === undefined ? undefined : tooMany(wait, 'failure_limit')
  }

  /**
   * Charges a password that is about to be tried to where it comes from (password spraying). Before it is: of many at once all
   * would else be tried. Not to what other failures are charged to, by which anybody could stop the sign-in of their neighbours.
   */
  passwordTried(address: string | undefined): OAuthError | undefined {
    if (address === undefined) return undefined
    const wait = this.#passwords.take(address, perMinute(this.#config.failuresPerMinute))
    return wait === undefined ? undefined : tooMany(wait, 'password_limit')
  }

  /** It was right, or was not tried. */
  passwordSpared(address: string | undefined): void {
    if (address === undefined) return
    this.#passwords.give(address, perMinute(this.#config.failuresPerMinute))
  }
}

function perMinute(count: number): Rate {
  return { count, seconds: 60 }
}

function tooMany(retryAfterSeconds: number, reason: string): OAuthError {
  return new OAuthError('too_many_requests', { retryAfterSeconds, reason })
}
