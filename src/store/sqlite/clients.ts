import type { ClientRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Clients = Pick<
  Store,
  'client' | 'clients' | 'addClient' | 'rotateClientSecret' | 'removeClient'
>

type Row = Omit<ClientRecord, 'secretHashes'> & {
  readonly newest: Uint8Array | null
  readonly older: Uint8Array | null
}

const SELECT = `
  SELECT tenant, id, registration, newest_secret_hash AS newest, older_secret_hash AS older,
    created_at AS createdAt
  FROM clients WHERE tenant = ?`

export function clients(connection: Connection): Clients {
  const selectOne = connection.prepare<Row>(`${SELECT} AND id = ?`)
  const selectAll = connection.prepare<Row>(`${SELECT} ORDER BY id`)
  const insert = connection.prepare(
    'INSERT INTO clients VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING',
  )
  // The right-hand sides are what was before the statement.
  const rotate = connection.prepare(
    `UPDATE clients SET newest_secret_hash = ?, older_secret_hash = newest_secret_hash
     WHERE tenant = ? AND id = ?`,
  )
  const remove = connection.prepare('DELETE FROM clients WHERE tenant = ? AND id = ?')
  return {
    client: (tenant, id) =>
      connection.attempt(() => {
        const row = selectOne.get(tenant, id)
        return row && clientOf(row)
      }),
    clients: (tenant) => connection.attempt(() => selectAll.all(tenant).map(clientOf)),
    addClient: ({ tenant, id, registration, secretHashes: [newest, older], createdAt }) =>
      connection.attempt(
        () => insert.run(tenant, id, registration, newest ?? null, older ?? null, createdAt) === 1,
      ),
    rotateClientSecret: (tenant, id, hash) =>
      connection.attempt(() => rotate.run(hash, tenant, id) === 1),
    removeClient: (tenant, id) => connection.attempt(() => remove.run(tenant, id) === 1),
  }
}

function clientOf({ newest, older, ...others }: Row): ClientRecord {
  return { ...others, secretHashes: [newest, older].filter((hash) => hash !== null) }
}
