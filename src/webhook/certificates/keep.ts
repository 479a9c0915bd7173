import type { OwnCertificatesConfig } from '../../config/webhook.ts'
import { within, type Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { printable } from '../../platform/printable.ts'
import { fractionOf, type Random } from '../../platform/random.ts'
import { Outage, type ClusterObjects } from './cluster_objects.ts'
import { OwnCertificate, type TlsPair } from './follow.ts'
import { HeldLease } from './hold_lease.ts'
import { DueWriter } from './write_due.ts'

export interface KeepDependencies {
  readonly config: OwnCertificatesConfig
  readonly objects: ClusterObjects
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  /** What this process holds the Lease as: another for each, such as the pod's name. */
  readonly identity: string
}

export interface KeptCertificates {
  /** What the webhook serves with. Undefined until `ready`. */
  tls(): TlsPair | undefined
  /** Called with every pair that is taken up from now on. */
  onTls(listener: (pair: TlsPair) => void): void
  /** PEM of what pods are to trust. Undefined until `ready`, and once it could not be read for `STALE_MS`. */
  caBundle(): string | undefined
  /** Resolves when there is a certificate and a bundle. Never rejects; without an API server it stays open. */
  readonly ready: Promise<void>
  /** Looks once, now, or joins the look that is under way. */
  look(): Promise<void>
  /** Ends it and gives the Lease back, which takes a moment at most: one that is not given back lapses. */
  stop(): Promise<void>
}

const EVERY_MS = 10_000
const EVERY_MS_UNTIL_READY = 1_000
/** No more than that, so that an outage of a part does not cost the Lease, and its end is seen soon. */
const MAX_BACK_OFF_MS = 10_000

const STOP_WITHIN_MS = 2_000
/** Characters of an identity: ours are a pod's name and a UUID. */
const MAX_HOLDER = 120
/** Longer than the writer needs when it begins, or waits after a failure. */
const UNDONE_MS = 300_000

/**
 * Keeps the certificates of all that serves in the Secrets of the release while it runs, and follows the webhook's own. It
 * begins at once; the replica that has the Lease writes, every other only reads its own Secret.
 */
export function keepCertificates(dependencies: KeepDependencies): KeptCertificates {
  return new Keeper(dependencies)
}

class Keeper implements KeptCertificates {
  readonly ready: Promise<void>
  readonly #dependencies: KeepDependencies
  readonly #lease: HeldLease
  readonly #writer: DueWriter
  readonly #own: OwnCertificate
  #looking: Promise<void> | undefined
  #cancel = (): void => {}
  #stopped = false
  #failures = 0
  #dueSince: number | undefined
  #told: string | undefined

  constructor(dependencies: KeepDependencies) {
    const { config, metrics, clock } = dependencies
    this.#dependencies = dependencies
    this.#lease = new HeldLease(dependencies)
    const mayWrite = async (): Promise<boolean> => !this.#stopped && this.#lease.mayWrite()
    this.#writer = new DueWriter({ ...dependencies, mayWrite })
    // The configuration was resolved: exactly one is its own.
    const leaf = config.leaves.find(({ own }) => own) ?? { secret: '', dnsNames: [] }
    this.#own = new OwnCertificate({ ...dependencies, caSecret: config.caSecret, leaf })
    this.ready = new Promise((resolve) => {
      this.#own.onPair(() => {
        resolve()
      })
    })
    metrics.observe('podsBeforeCa', {}, () => this.#writer.pods?.before ?? -1)
    metrics.observe('podsWithoutCa', {}, () => this.#writer.pods?.without ?? -1)
    metrics.observe('certificateRemaining', {}, () => {
      const ends = [...this.#own.ends, ...this.#writer.ends]
      return ends.length === 0 ? -1 : Math.floor((Math.min(...ends) - clock.wall()) / 1000)
    })
    void this.look()
  }

  tls(): TlsPair | undefined {
    return this.#own.pair
  }

  onTls(listener: (pair: TlsPair) => void): void {
    this.#own.onPair(listener)
  }

  caBundle(): string | undefined {
    return this.#own.bundle
  }

  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      this.#schedule()
    })
    return this.#looking
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    const { clock, log } = this.#dependencies
    const rest = async (): Promise<void> => {
      await this.#looking
      await this.#lease.release()
    }
    const resting = rest().catch((error: unknown) => {
      log.error('the Lease could not be given back', causeOf(error))
    })
    await within(clock, STOP_WITHIN_MS, resting, () => undefined)
  }

  async #look(): Promise<void> {
    try {
      const holds = await this.#lease.renew()
      const ofWriting = holds === true ? await this.#writer.pass() : holds
      if (holds !== true) this.#writer.rest()
      const ofReading = await this.#own.read()
      const ofAnother = this.#leftUndone(holds === false)
      this.#tell(ofWriting instanceof Outage ? ofWriting : (ofReading ?? ofAnother))
    } catch (error) {
      const cause = causeOf(error)
      this.#dependencies.log.error('keeping the certificates failed unexpectedly', cause)
      this.#failures += 1
    }
  }

  /**
   * What is due and is not done because another has the Lease. A replica does it within seconds; whoever else may write the
   * Lease could keep every certificate from being renewed, until all of them have ended.
   */
  #leftUndone(byAnother: boolean): Outage | undefined {
    const { clock, config } = this.#dependencies
    const now = clock.monotonic()
    if (!byAnother || !this.#own.isDue) this.#dueSince = undefined
    else this.#dueSince ??= now
    if (this.#dueSince === undefined || now - this.#dueSince < UNDONE_MS) return undefined
    return new Outage(
      `certificates are due, and ${printable(this.#lease.holder ?? 'nobody', MAX_HOLDER)}, who holds the Lease ${config.lease}, does not ` +
        'write them: if that is no pod of this webhook, clear holderIdentity, and see who may write Leases here',
    )
  }

  /** Once for each reason, and once when it is over. */
  #tell(outage: Outage | undefined): void {
    const { log } = this.#dependencies
    this.#failures = outage ? this.#failures + 1 : 0
    if (outage?.reason === this.#told) return
    if (outage) log.warn('certificates cannot be kept', { reason: outage.reason })
    else log.info('certificates are kept again')
    this.#told = outage?.reason
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancel()
    this.#cancel = this.#dependencies.clock.after(this.#delay(), () => {
      void this.look()
    })
  }

  #delay(): number {
    if (this.#failures > 0) {
      const most = Math.min(500 * 2 ** this.#failures, MAX_BACK_OFF_MS)
      return most * (0.5 + fractionOf(this.#dependencies.random) / 2)
    }
    return this.#own.pair ? EVERY_MS : EVERY_MS_UNTIL_READY
  }
}
