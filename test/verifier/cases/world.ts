import type { KeyObject } from 'node:crypto'
import type { WorkloadIdentity } from '../../../src/verifier/identity.ts'
import type { Provider } from '../../../src/verifier/provider.ts'
import type { CannotVerify, ProofRefusal } from '../../../src/verifier/refusal.ts'
import { Providers } from '../../../src/verifier/registry.ts'
import { FakeClock } from '../../fakes/clock.ts'
import {
  entriesOf,
  issuersOf,
  openEntries,
  publishedKeys,
  sundryKeys,
  type Platform,
} from '../../fakes/platforms.ts'
import type { Claims } from '../../fakes/token_issuer.ts'
import { AUDIENCE, NOW, type Changes, type KeyName } from './token_case.ts'

/** Every platform behind one verifier, with the settings of one of them changed. */
export class World {
  readonly issuers = issuersOf(AUDIENCE, () => NOW)
  readonly #keys = sundryKeys()
  readonly #entries = entriesOf(this.issuers, publishedKeys(this.#keys))
  readonly #unchanged = openEntries(Object.values(this.#entries))
  readonly #changed = new Map<string, Promise<readonly Provider[]>>()

  token(platform: Platform, { signedBy, ...changes }: Changes = {}): string {
    const key = signedBy === undefined ? undefined : this.#key(signedBy)
    return this.issuers[platform].token({ ...changes, key })
  }

  async judge(
    platform: Platform,
    token: string,
    { ahead = 0, provider = {} }: Changes = {},
  ): Promise<WorkloadIdentity | ProofRefusal | CannotVerify> {
    const clock = new FakeClock()
    clock.advance(ahead * 1_000)
    return new Providers(await this.#open(platform, provider), clock).verify(token)
  }

  async #open(platform: Platform, settings: Claims): Promise<readonly Provider[]> {
    const unchanged = await this.#unchanged
    if (Object.keys(settings).length === 0) return unchanged
    const name = JSON.stringify([platform, settings])
    const changed =
      this.#changed.get(name) ?? openEntries([{ ...this.#entries[platform], ...settings }])
    this.#changed.set(name, changed)
    return [...unchanged.filter(({ name }) => name !== platform), ...(await changed)]
  }

  #key(name: KeyName): KeyObject {
    switch (name) {
      case 'other_account':
        return this.issuers.other_account.pair.privateKey
      case 'p384_as_es256':
        return this.#keys.p384.privateKey
      case 'rsa_as_ps256':
      case 'rsa_for_encryption':
        return this.#keys.rsa2048.privateKey
      default:
        return this.#keys[name].privateKey
    }
  }
}
