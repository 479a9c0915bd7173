import { judgeRetirement } from '../retirement.ts'
import type { SigningKeyRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type SigningKeys = Pick<
  Store,
  'signingKeys' | 'keepFirstSigningKey' | 'addSigningKey' | 'retireSigningKey'
>

type Row = Omit<SigningKeyRecord, 'retiredAt'> & { readonly retiredAt: number | null }

export function signingKeys(connection: Connection): SigningKeys {
  const select = connection.prepare<Row>(
    `SELECT tenant, kid, algorithm, sealed_private_key AS sealedPrivateKey, created_at AS createdAt,
       signs_from AS signsFrom, retired_at AS retiredAt
     FROM signing_keys WHERE tenant = ? ORDER BY created_at, kid`,
  )
  const insert = connection.prepare('INSERT INTO signing_keys VALUES (?, ?, ?, ?, ?, ?, ?)')
  const retire = connection.prepare(
    'UPDATE signing_keys SET retired_at = ? WHERE tenant = ? AND kid = ?',
  )
  const keysOf = (tenant: string): readonly SigningKeyRecord[] =>
    select.all(tenant).map((row) => ({ ...row, retiredAt: row.retiredAt ?? undefined }))
  const add = (record: SigningKeyRecord): void => {
    insert.run(
      record.tenant,
      record.kid,
      record.algorithm,
      record.sealedPrivateKey,
      record.createdAt,
      record.signsFrom,
      record.retiredAt ?? null,
    )
  }
  return {
    signingKeys: (tenant) => connection.attempt(() => keysOf(tenant)),
    keepFirstSigningKey: (record) =>
      connection.write(() => {
        if (keysOf(record.tenant).length === 0) add(record)
        return keysOf(record.tenant)
      }),
    addSigningKey: (record) => connection.attempt(() => add(record)),
    retireSigningKey: (tenant, kid, at) =>
      connection.write(() => {
        const outcome = judgeRetirement(keysOf(tenant), kid, at)
        if (outcome === 'retired') retire.run(at, tenant, kid)
        return outcome
      }),
  }
}
