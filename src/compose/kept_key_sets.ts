import { createHash } from 'node:crypto'
import { SealFault, type Seal } from '../endpoint/sealing.ts'
import type { Log } from '../platform/log.ts'
import type { Store } from '../store/store.ts'
import type { KeyLocation } from '../verifier/keys/fetch_keys.ts'
import type { KeptKeys } from '../verifier/keys/kept_keys.ts'

export interface KeptKeySetNeeds {
  readonly tenant: string
  readonly store: Store
  readonly seal: Seal
  readonly log: Log
}

/**
 * Keeps the key sets of one provider in the store. Sealed, or who can write the store could plant a key and be any workload;
 * the moment of the fetch is sealed with it, or a set with a withdrawn key could be made young again.
 */
export function keptKeySets(
  provider: string,
  place: string,
  { tenant, store, seal, log }: KeptKeySetNeeds,
): KeptKeys {
  const name = `${provider} ${place}`
  const sealedAs = (fetchedAt: number): string => `key set ${tenant} ${name} ${String(fetchedAt)}`
  return {
    load: async () => {
      const kept = await store.keptKeySet(tenant, name)
      if (!kept) return undefined
      const { sealed, fetchedAt } = kept
      try {
        return { text: seal.open(sealed, sealedAs(fetchedAt)).toString('utf8'), fetchedAt }
      } catch (error) {
        if (!(error instanceof SealFault)) throw error
        log.warn('the kept key set is not used', {
          provider,
          reason: 'it cannot be decrypted: is this the key file it was stored with?',
        })
        return undefined
      }
    },
    save: (text, fetchedAt) =>
      store.keepKeySet({
        tenant,
        name,
        sealed: seal.close(Buffer.from(text), sealedAs(fetchedAt)),
        fetchedAt,
      }),
  }
}

/** What stands for the place that keys come from, so that a changed configuration never meets the set of another one. */
export function placeOf(issuers: readonly string[], { from, hosts }: KeyLocation): string {
  const url = 'jwksUrl' in from ? from.jwksUrl.href : `discovery ${from.discoveryOf}`
  return createHash('sha256')
    .update(JSON.stringify([issuers, url, hosts]))
    .digest('hex')
}
