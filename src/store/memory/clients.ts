import type { ClientRecord } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type Clients = Pick<
  Store,
  'client' | 'clients' | 'addClient' | 'rotateClientSecret' | 'removeClient'
>

const SECRETS = 2

export function clients(): Clients {
  const rows = new Table<ClientRecord>(({ tenant, id }) => [tenant, id])
  return {
    client: (tenant, id) => Promise.resolve(rows.get(tenant, id)),
    clients: (tenant) =>
      Promise.resolve(
        rows
          .where((row) => row.tenant === tenant)
          .toSorted((one, other) => compare(one.id, other.id)),
      ),
    addClient: (record) => {
      const secretHashes = record.secretHashes.slice(0, SECRETS)
      return Promise.resolve(rows.add({ ...record, secretHashes }))
    },
    rotateClientSecret: (tenant, id, hash) => {
      const row = rows.get(tenant, id)
      if (row) rows.put({ ...row, secretHashes: [hash, ...row.secretHashes].slice(0, SECRETS) })
      return Promise.resolve(row !== undefined)
    },
    removeClient: (tenant, id) => Promise.resolve(rows.remove(tenant, id)),
  }
}
