import type { RevocationKind, RevocationQuestion, RevocationRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection, Statement } from './connection.ts'

/** Writes one revocation; for use inside a transaction, too. */
export function revoking(connection: Connection): (record: RevocationRecord) => void {
  const upsert = connection.prepare(
    `INSERT INTO revocations VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant, kind, value) DO UPDATE SET
       not_before = max(not_before, excluded.not_before),
       expires_at = max(expires_at, excluded.expires_at)`,
  )
  return ({ tenant, kind, value, notBefore, expiresAt }) => {
    upsert.run(tenant, kind, value, notBefore, expiresAt)
  }
}

export function revocations(
  connection: Connection,
  revoke: (record: RevocationRecord) => void,
): Pick<Store, 'revoke' | 'isRevoked'> {
  /** By how many names are asked for. Questions come of tokens of our own, whose chains of actors are short. */
  const statements = new Map<number, Statement<unknown>>()
  const statementFor = (names: number): Statement<unknown> => {
    const known = statements.get(names)
    if (known) return known
    const made = connection.prepare<unknown>(questionOf(names))
    statements.set(names, made)
    return made
  }
  return {
    revoke: (records) => connection.write(() => records.forEach(revoke)),
    isRevoked: (question) =>
      connection.attempt(() => {
        const names = namesIn(question)
        const { tenant, issuedAt } = question
        return statementFor(names.length).get(...names.flat(), tenant, issuedAt) !== undefined
      }),
  }
}

function namesIn({
  jtis,
  grantId,
  subjects,
  clients,
  pairs,
}: RevocationQuestion): readonly (readonly [RevocationKind, string])[] {
  return [
    ...jtis.map((jti) => ['jti', jti] as const),
    ['grant', grantId],
    ...subjects.map((subject) => ['subject', subject] as const),
    ...clients.map((client) => ['client', client] as const),
    ...pairs.map((pair) => ['pair', pair] as const),
    ['tenant', ''],
  ]
}

/** CROSS JOIN holds SQLite to one look-up by the primary key for each name, however many rows there are. */
function questionOf(names: number): string {
  return `
    WITH named (kind, value) AS (VALUES ${Array(names).fill('(?, ?)').join(', ')})
    SELECT 1 FROM named CROSS JOIN revocations USING (kind, value)
    WHERE tenant = ? AND not_before >= ? LIMIT 1`
}
