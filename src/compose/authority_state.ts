import type { AuthorityConfig } from '../config/config.ts'
import { Seal } from '../endpoint/sealing.ts'
import { sqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { keyOfSecret } from './key_secret.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_KEY_FILE_BYTES = 1_024

/** The state of an authority, and what opens it. */
export async function openState(
  config: AuthorityConfig,
  surroundings: Surroundings,
): Promise<{ readonly store: Store; readonly seal: Seal }> {
  const store = sqliteStore(config.storeFile)
  try {
    const keyText = await keyEncryptionText(config, store, surroundings)
    return { store, seal: Seal.parse(keyText, surroundings.random) }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function keyEncryptionText(
  { keyEncryption: config, tenants }: AuthorityConfig,
  store: Store,
  surroundings: Surroundings,
): Promise<string> {
  if (config.in === 'secret') {
    const kept = await Promise.all(tenants.map(({ slug }) => store.signingKeys(slug)))
    return keyOfSecret(config, kept.flat().length === 0, surroundings)
  }
  return (await surroundings.files.read(config.file, MAX_KEY_FILE_BYTES)).toString('utf8')
}

/** The key that signs the ends of audit segments is made of the key file, so that verifying needs nothing else. */
export function auditSeed(seal: Seal): Buffer {
  return seal.derive('audit')
}
