import { createSecureContext } from 'node:tls'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { bundleOf, isIssuedBy, readAuthority, type Authority } from './authority.ts'
import { Outage, type ClusterObjects, type KeptSecret } from './cluster_objects.ts'
import { leafReason, STALE_MS } from './decide.ts'
import { endOf, readBundle, readPair, type Pair } from './read_pair.ts'

export interface TlsPair {
  /** PEM */
  readonly cert: string
  /** PEM */
  readonly key: string
}

interface OwnCertificateDependencies {
  /** The Secret of the CA. */
  readonly caSecret: string
  /** The Secret of the webhook's own leaf, and the names that this has to have. */
  readonly leaf: { readonly secret: string; readonly dnsNames: readonly string[] }
  readonly objects: ClusterObjects
  readonly clock: Clock
  readonly log: Log
}

/**
 * What the webhook itself serves with, and what pods are to trust. The second is read where the CA lies, and not from the copies
 * beside the leaves: whoever may write one of those could else be trusted by every new pod.
 */
export class OwnCertificate {
  readonly #dependencies: OwnCertificateDependencies
  readonly #listeners: ((pair: TlsPair) => void)[] = []
  #pair: TlsPair | undefined
  /** `at`: monotonic milliseconds. */
  #bundle: { readonly pem: string; readonly at: number } | undefined
  #ends: readonly number[] = []
  #isDue = true

  constructor(dependencies: OwnCertificateDependencies) {
    this.#dependencies = dependencies
  }

  get pair(): TlsPair | undefined {
    return this.#pair
  }

  /** Undefined: it was not read, or so long ago that it may be another by now. */
  get bundle(): string | undefined {
    if (!this.#bundle) return undefined
    const { pem, at } = this.#bundle
    return this.#dependencies.clock.monotonic() - at < STALE_MS ? pem : undefined
  }

  /** When its certificate and those in the bundle end; milliseconds since the Unix epoch. */
  get ends(): readonly number[] {
    return this.#ends
  }

  /** Whether its certificate is to be issued anew, as far as was read. */
  get isDue(): boolean {
    return this.#isDue
  }

  onPair(listener: (pair: TlsPair) => void): void {
    this.#listeners.push(listener)
  }

  /** Reads both once. What cannot be used leaves the last good one in place. */
  async read(): Promise<Outage | undefined> {
    const { caSecret, leaf, clock } = this.#dependencies
    const at = clock.monotonic()
    const ca = await this.#secret(caSecret)
    if (ca instanceof Outage) return ca
    const own = await this.#secret(leaf.secret)
    if (own instanceof Outage) return own
    this.#isDue = true
    const authority = readAuthority(ca.data)
    const pair = readPair(own.data['tls.crt'], own.data['tls.key'])
    if ((authority === 'empty' || pair === 'empty') && !this.#pair) return undefined
    if (typeof authority === 'string') {
      return new Outage(`the Secret ${caSecret} holds no CA that can be used`)
    }
    this.#bundle = { pem: bundleOf(authority), at }
    return this.#take(pair, authority)
  }

  async #secret(name: string): Promise<KeptSecret | Outage> {
    const secret = await this.#dependencies.objects.readSecret(name)
    return secret ?? new Outage(`the Secret ${name} is not there`)
  }

  #take(pair: Pair | 'empty' | 'unusable', authority: Authority): Outage | undefined {
    const { leaf, clock, log } = this.#dependencies
    const { secret, dnsNames } = leaf
    if (typeof pair === 'string') {
      return new Outage(`the Secret ${secret} holds no certificate that can be used`)
    }
    if (!isIssuedBy(authority, pair.certificate)) {
      return new Outage(`the Secret ${secret} holds a certificate that is not of our CA`)
    }
    this.#isDue = leafReason(pair, dnsNames, authority.signing, clock.wall()) !== undefined
    const trusted = readBundle(bundleOf(authority)) ?? []
    this.#ends = [pair.certificate, ...trusted].map(endOf)
    if (pair.certPem === this.#pair?.cert && pair.keyPem === this.#pair.key) return undefined
    const served = { cert: pair.certPem, key: pair.keyPem }
    // What TLS does not take must not take the place of what it does.
    if (!isServable(served)) {
      return new Outage(`the Secret ${secret} holds a certificate that TLS does not take`)
    }
    this.#pair = served
    log.info('a certificate was taken up', {
      secret,
      until: pair.certificate.validToDate.toISOString(),
    })
    for (const listener of this.#listeners) listener(this.#pair)
    return undefined
  }
}

function isServable(pair: TlsPair): boolean {
  try {
    createSecureContext(pair)
    return true
  } catch {
    return false
  }
}
