import { audit } from './memory/audit.ts'
import { clients } from './memory/clients.ts'
import { grants } from './memory/grants.ts'
import { keySets } from './memory/key_sets.ts'
import { people } from './memory/people.ts'
import { signIns } from './memory/sign_ins.ts'
import { signingKeys } from './memory/signing_keys.ts'
import { users } from './memory/users.ts'
import type { Store } from './store.ts'

/** A store that forgets: for tests, and the measure that the others are held to. */
export function memoryStore(): Store {
  const ofGrants = grants()
  const { pruneSessions, ...ofPeople } = people()
  const { pruneApprovals, ...ofUsers } = users()
  const { pruneSignIns, ...ofSignIns } = signIns()
  return {
    ...signingKeys(),
    ...keySets(),
    ...clients(),
    ...ofGrants,
    ...ofPeople,
    ...ofUsers,
    ...ofSignIns,
    ...audit(),
    prune: async (now) => {
      await ofGrants.prune(now)
      for (const each of [pruneSessions, pruneApprovals, pruneSignIns]) each(now)
    },
    close: () => Promise.resolve(),
  }
}
