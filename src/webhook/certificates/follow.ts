import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { Outage, type ClusterObjects } from './cluster_objects.ts'
import { STALE_MS } from './decide.ts'
import { endOf, readBundle, readPair } from './read_pair.ts'

export interface TlsPair {
  /** PEM */
  readonly cert: string
  /** PEM */
  readonly key: string
}

/** What the webhook itself serves with, and what pods are to trust, as they lie in the Secret of its own leaf. */
export class OwnCertificate {
  readonly #secret: string
  readonly #objects: ClusterObjects
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners: ((pair: TlsPair) => void)[] = []
  #pair: TlsPair | undefined
  /** `at`: monotonic milliseconds. */
  #bundle: { readonly pem: string; readonly at: number } | undefined
  #ends: readonly number[] = []

  constructor(
    secret: string,
    { objects, clock, log }: { objects: ClusterObjects; clock: Clock; log: Log },
  ) {
    this.#secret = secret
    this.#objects = objects
    this.#clock = clock
    this.#log = log
  }

  get pair(): TlsPair | undefined {
    return this.#pair
  }

  /** Undefined: it was not read, or so long ago that it may be another by now. */
  get bundle(): string | undefined {
    if (!this.#bundle) return undefined
    const { pem, at } = this.#bundle
    return this.#clock.monotonic() - at < STALE_MS ? pem : undefined
  }

  /** When its certificate and those in the bundle end; milliseconds since the Unix epoch. */
  get ends(): readonly number[] {
    return this.#ends
  }

  onPair(listener: (pair: TlsPair) => void): void {
    this.#listeners.push(listener)
  }

  /** Reads it once. What cannot be used leaves the last good one in place. */
  async read(): Promise<Outage | undefined> {
    const at = this.#clock.monotonic()
    const secret = await this.#objects.readSecret(this.#secret)
    if (secret instanceof Outage) return secret
    if (!secret) return new Outage(`the Secret ${this.#secret} is not there`)
    const { data } = secret
    const pair = readPair(data['tls.crt'], data['tls.key'])
    const bundle = data['ca.crt'] ?? ''
    const trusted = readBundle(bundle)
    if (pair === 'empty' && !this.#pair) return undefined
    if (typeof pair === 'string' || !trusted) {
      return new Outage(`the Secret ${this.#secret} holds no certificate that can be used`)
    }
    this.#bundle = { pem: bundle, at }
    this.#ends = [pair.certificate, ...trusted].map(endOf)
    if (pair.certPem === this.#pair?.cert && pair.keyPem === this.#pair.key) return undefined
    this.#pair = { cert: pair.certPem, key: pair.keyPem }
    this.#log.info('a certificate was taken up', {
      secret: this.#secret,
      until: pair.certificate.validToDate.toISOString(),
    })
    for (const listener of this.#listeners) listener(this.#pair)
    return undefined
  }
}
