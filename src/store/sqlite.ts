import { apiKeys } from './sqlite/api_keys.ts'
import { approvals } from './sqlite/approvals.ts'
import { audit } from './sqlite/audit.ts'
import { clients } from './sqlite/clients.ts'
import { codes } from './sqlite/codes.ts'
import type { Connection } from './sqlite/connection.ts'
import { consents } from './sqlite/consents.ts'
import { families } from './sqlite/families.ts'
import { keySets } from './sqlite/key_sets.ts'
import { localUsers } from './sqlite/local_users.ts'
import { openSqlite } from './sqlite/open.ts'
import { pruning } from './sqlite/prune.ts'
import { pushedRequests } from './sqlite/pushed_requests.ts'
import { reservations } from './sqlite/reservations.ts'
import { revocations, revoking } from './sqlite/revocations.ts'
import { sessions } from './sqlite/sessions.ts'
import { signingKeys } from './sqlite/signing_keys.ts'
import { upstreamUsers, upstreamVisits } from './sqlite/upstream.ts'
import { users } from './sqlite/users.ts'
import { WalSync } from './sqlite/wal_sync.ts'
import type { Store } from './store.ts'

/**
 * The store of one machine: a SQLite file in WAL mode, with every commit on the disk before it is answered. Not for network
 * file systems, whose locks WAL cannot trust.
 * @throws StoreFault when the file cannot be opened, is no database, or is a newer program's
 */
export function sqliteStore(file: string): Store {
  return openSqlite(file, (connection) => storeOver(connection, new WalSync(file)))
}

function storeOver(connection: Connection, flushing: WalSync): Store {
  const revoke = revoking(connection)
  return {
    ...signingKeys(connection),
    ...keySets(connection),
    ...clients(connection),
    ...codes(connection),
    ...families(connection, revoke),
    ...revocations(connection, revoke),
    ...reservations(connection),
    ...users(connection),
    ...localUsers(connection),
    ...sessions(connection),
    ...consents(connection),
    ...approvals(connection),
    ...upstreamUsers(connection),
    ...upstreamVisits(connection),
    ...pushedRequests(connection),
    ...apiKeys(connection),
    ...audit(connection, flushing),
    ...pruning(connection),
    close: () =>
      connection.attempt(() => {
        flushing.close()
        connection.close()
      }),
  }
}
