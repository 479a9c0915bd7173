import type { KeysConfig } from '../config/provider/keys.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import { fetchKeys, type KeyLocation } from '../verifier/keys/fetch_keys.ts'
import type { KeptKeys } from '../verifier/keys/kept_keys.ts'
import { KeySet } from '../verifier/keys/key_set.ts'
import { localKeys, type KeySource } from '../verifier/keys/key_source.ts'
import { RemoteKeys } from '../verifier/keys/remote_keys.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_KEY_SET_BYTES = 524_288

/** Of a provider, what its keys depend on. */
export interface KeyOwner {
  readonly name: string
  /** The first one is the one whose discovery document is read. */
  readonly issuers: readonly string[]
  readonly keys: KeysConfig
  /** How long the last good set serves while it cannot be fetched anew. Default: a day. */
  readonly keyStalenessMs?: number | undefined
}

export interface KeyNeeds {
  /** Where key sets outlive the process; nowhere, where absent. */
  readonly kept?: (provider: string, issuers: readonly string[], from: KeyLocation) => KeptKeys
  readonly opened: Pick<Opened, 'follow'>
  readonly surroundings: Surroundings
}

/** The keys of a provider, from where its configuration says. */
export async function openKeys(owner: KeyOwner, needs: KeyNeeds): Promise<KeySource> {
  const { keys, issuers } = owner
  const { opened, surroundings } = needs
  switch (keys.from) {
    case 'inline': {
      const set = KeySet.from(keys.jwks)
      return localKeys(() => set)
    }
    case 'file': {
      const watched = await Watched.open(
        {
          what: 'keys',
          paths: [keys.file],
          maxBytes: MAX_KEY_SET_BYTES,
          parse: ([content]) => {
            const set = KeySet.parse(content?.bytes.toString('utf8') ?? '')
            // As with a fetched one: a set that is being written is no reason to forget the keys that were good.
            if (set.size === 0) throw new OperatorFault('the key set has no usable key')
            return set
          },
        },
        surroundings,
      )
      opened.follow(watched)
      return localKeys(() => watched.current())
    }
    case 'jwksUrl':
    case 'discovery': {
      const { hosts, caFile, bearerTokenFile } = keys
      const from =
        keys.from === 'jwksUrl' ? { jwksUrl: keys.url } : { discoveryOf: issuers[0] ?? '' }
      return remoteKeys(owner, { from, hosts, caFile, bearerTokenFile }, needs)
    }
  }
}

function remoteKeys(
  { name, issuers, keyStalenessMs }: KeyOwner,
  location: KeyLocation,
  { kept, surroundings }: KeyNeeds,
): KeySource {
  return new RemoteKeys(name, () => fetchKeys(location, surroundings), surroundings, {
    kept: kept?.(name, issuers, location),
    stalenessMs: keyStalenessMs,
  })
}
