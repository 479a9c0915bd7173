import type { Clock } from '../../platform/clock.ts'
import { Outage, type ClusterObjects, type KeptLease } from './cluster_objects.ts'
import { skewReason } from './decide.ts'

interface LeaseDependencies {
  readonly objects: ClusterObjects
  readonly clock: Clock
  /** Who we are: another for each process, such as the pod's name. */
  readonly identity: string
}

const DURATION_MS = 15_000
/**
 * Counted from before the claim was sent. The rest of the 15 s is for a write that is under way when it ends, of 3 s at
 * most.
 */
const WRITES_FOR_MS = 10_000

/**
 * The Lease that chooses which replica writes. Whether another's has lapsed is told by how long we saw it unchanged on our own
 * clock, and never by the time that stands in it, for wall clocks differ.
 */
export class HeldLease {
  readonly #dependencies: LeaseDependencies
  #writesUntil = Number.NEGATIVE_INFINITY
  #seen = { version: '', at: 0 }
  #holder: string | undefined

  constructor(dependencies: LeaseDependencies) {
    this.#dependencies = dependencies
  }

  /** Who held it when it was last read. */
  get holder(): string | undefined {
    return this.#holder
  }

  /**
   * Whether a write may be begun now. Asked long after the last renewal it renews, and that only while nobody else had the
   * Lease since, for what was read before could be another's state by then.
   */
  async mayWrite(): Promise<boolean> {
    if (this.#dependencies.clock.monotonic() < this.#writesUntil) return true
    return (await this.#claim(({ holder }) => holder === this.#dependencies.identity)) === true
  }

  /** Takes the Lease where it is free or has lapsed, or renews it. False: another has it. */
  renew(): Promise<boolean | Outage> {
    const { identity } = this.#dependencies
    return this.#claim(
      ({ holder }, lapsed) => holder === undefined || holder === identity || lapsed,
    )
  }

  async #claim(
    mayClaim: (lease: KeptLease, lapsed: boolean) => boolean,
  ): Promise<boolean | Outage> {
    const { objects, clock, identity } = this.#dependencies
    const begun = clock.monotonic()
    const lease = await objects.readLease()
    if (lease instanceof Outage) return lease
    if (!lease) return new Outage('the Lease is not there')
    const { resourceVersion } = lease
    this.#holder = lease.holder
    // Left to lapse where our clock is wrong: another replica's may be right, and is to write.
    const skew = skewReason(objects.clockAheadMs())
    if (skew !== undefined) {
      this.#lost()
      return new Outage(skew)
    }
    if (resourceVersion !== this.#seen.version) {
      this.#seen = { version: resourceVersion, at: clock.monotonic() }
    }
    if (!mayClaim(lease, begun - this.#seen.at >= DURATION_MS)) return this.#lost()
    const claim = { holder: identity, renewedAt: clock.wall(), durationSeconds: DURATION_MS / 1000 }
    const outcome = await objects.writeLease(claim, resourceVersion)
    if (outcome instanceof Outage) return outcome
    if (outcome === 'conflict') return this.#lost()
    this.#writesUntil = begun + WRITES_FOR_MS
    return true
  }

  /** Gives it back, so that another need not wait until it lapses. Best effort. */
  async release(): Promise<void> {
    const { objects, clock, identity } = this.#dependencies
    this.#lost()
    const lease = await objects.readLease()
    if (!lease || lease instanceof Outage || lease.holder !== identity) return
    const claim = { holder: undefined, renewedAt: clock.wall(), durationSeconds: 1 }
    await objects.writeLease(claim, lease.resourceVersion)
  }

  #lost(): false {
    this.#writesUntil = Number.NEGATIVE_INFINITY
    return false
  }
}
