import type { SigningKeyRecord, Store } from './store.ts'

/** A store that forgets: for tests, and the measure that the others are held to. */
export function memoryStore(): Store {
  const keys = new Map<string, readonly SigningKeyRecord[]>()
  const keysOf = (tenant: string): readonly SigningKeyRecord[] => keys.get(tenant) ?? []
  return {
    signingKeys: (tenant) => Promise.resolve(keysOf(tenant)),
    keepFirstSigningKey: (record) => {
      if (keysOf(record.tenant).length === 0) keys.set(record.tenant, [record])
      return Promise.resolve(keysOf(record.tenant))
    },
    close: () => Promise.resolve(),
  }
}
