import type { ApiKeyRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type ApiKeys = Pick<Store, 'addApiKey' | 'apiKey' | 'apiKeys' | 'removeApiKey'>

type Row = Omit<ApiKeyRecord, 'expiresAt'> & { readonly expiresAt: number | null }

const SELECT = `
  SELECT tenant, id, client_id AS clientId, hash, name, created_at AS createdAt,
    expires_at AS expiresAt
  FROM api_keys WHERE tenant = ?`

/** Keys by which clients ask for permissions. */
export function apiKeys(connection: Connection): ApiKeys {
  const insert = connection.prepare('INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)')
  const one = connection.prepare<Row>(`${SELECT} AND id = ?`)
  const all = connection.prepare<Row>(`${SELECT} ORDER BY created_at, id`)
  const remove = connection.prepare('DELETE FROM api_keys WHERE tenant = ? AND id = ?')
  return {
    addApiKey: ({ tenant, id, clientId, hash, name, createdAt, expiresAt }) =>
      connection.attempt(() => {
        insert.run(tenant, id, clientId, hash, name, createdAt, expiresAt ?? null)
      }),
    apiKey: (tenant, id) =>
      connection.attempt(() => {
        const row = one.get(tenant, id)
        return row && keyOf(row)
      }),
    apiKeys: (tenant) => connection.attempt(() => all.all(tenant).map(keyOf)),
    removeApiKey: (tenant, id) => connection.attempt(() => remove.run(tenant, id) === 1),
  }
}

function keyOf({ expiresAt, ...row }: Row): ApiKeyRecord {
  return { ...row, expiresAt: expiresAt ?? undefined }
}
