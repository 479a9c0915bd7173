import type { ProviderConfig } from '../config/config.ts'
import { Watched } from '../platform/watched.ts'
import { fetchKeys } from '../verifier/fetch_keys.ts'
import { KeySet } from '../verifier/key_set.ts'
import { localKeys, type KeySource } from '../verifier/key_source.ts'
import { RemoteKeys } from '../verifier/remote_keys.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_KEY_SET_BYTES = 524_288

/** The keys of a provider, from where its configuration says. */
export async function openKeys(
  { name, issuers, keys }: ProviderConfig,
  opened: Opened,
  surroundings: Surroundings,
): Promise<KeySource> {
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
          parse: ([content]) => KeySet.parse(content?.bytes.toString('utf8') ?? ''),
        },
        surroundings,
      )
      opened.follow(watched)
      return localKeys(() => watched.current())
    }
    case 'jwksUrl':
    case 'discovery': {
      const location = {
        from: keys.from === 'jwksUrl' ? { jwksUrl: keys.url } : { discoveryOf: issuers[0] ?? '' },
        hosts: keys.from === 'discovery' ? keys.hosts : [],
        caFile: keys.caFile,
        bearerTokenFile: keys.bearerTokenFile,
      }
      return new RemoteKeys(name, () => fetchKeys(location, surroundings), surroundings)
    }
  }
}
