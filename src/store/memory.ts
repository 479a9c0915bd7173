import { audit } from './memory/audit.ts'
import { clients } from './memory/clients.ts'
import { grants } from './memory/grants.ts'
import { keySets } from './memory/key_sets.ts'
import { signingKeys } from './memory/signing_keys.ts'
import { users } from './memory/users.ts'
import type { Store } from './store.ts'

/** A store that forgets: for tests, and the measure that the others are held to. */
export function memoryStore(): Store {
  return {
    ...signingKeys(),
    ...keySets(),
    ...clients(),
    ...grants(),
    ...users(),
    ...audit(),
    close: () => Promise.resolve(),
  }
}
