import type { ConsentRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Consents = Pick<
  Store,
  'consent' | 'consents' | 'putConsent' | 'removeConsent' | 'removeConsentsTo'
>

type Row = Omit<ConsentRecord, 'given'> & { readonly given: string }

const SELECT = `
  SELECT tenant, user, client, given, created_at AS createdAt FROM consents
  WHERE tenant = ? AND user = ?`

/** What users agreed to, by client. */
export function consents(connection: Connection): Consents {
  const one = connection.prepare<Row>(`${SELECT} AND client = ?`)
  const all = connection.prepare<Row>(`${SELECT} ORDER BY client`)
  const put = connection.prepare('INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?)')
  const remove = connection.prepare(
    'DELETE FROM consents WHERE tenant = ? AND user = ? AND client = ?',
  )
  const removeAll = connection.prepare('DELETE FROM consents WHERE tenant = ? AND client = ?')
  return {
    consent: (tenant, user, client) =>
      connection.attempt(() => {
        const row = one.get(tenant, user, client)
        return row && consentOf(row)
      }),
    consents: (tenant, user) => connection.attempt(() => all.all(tenant, user).map(consentOf)),
    putConsent: ({ tenant, user, client, given, createdAt }) =>
      connection.attempt(() => {
        put.run(tenant, user, client, JSON.stringify(given), createdAt)
      }),
    removeConsent: (tenant, user, client) =>
      connection.attempt(() => remove.run(tenant, user, client) === 1),
    removeConsentsTo: (tenant, client) =>
      connection.attempt(() => {
        removeAll.run(tenant, client)
      }),
  }
}

function consentOf({ given, ...row }: Row): ConsentRecord {
  return { ...row, given: JSON.parse(given) as ConsentRecord['given'] }
}
