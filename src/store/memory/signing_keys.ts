import { judgeRetirement } from '../retirement.ts'
import type { SigningKeyRecord } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type SigningKeys = Pick<
  Store,
  'signingKeys' | 'keepFirstSigningKey' | 'addSigningKey' | 'retireSigningKey'
>

export function signingKeys(): SigningKeys {
  const keys = new Table<SigningKeyRecord>(({ tenant, kid }) => [tenant, kid])
  const keysOf = (tenant: string): readonly SigningKeyRecord[] =>
    keys
      .where((key) => key.tenant === tenant)
      .toSorted((one, other) => one.createdAt - other.createdAt || compare(one.kid, other.kid))
  return {
    signingKeys: (tenant) => Promise.resolve(keysOf(tenant)),
    keepFirstSigningKey: (record) => {
      if (keysOf(record.tenant).length === 0) keys.add(record)
      return Promise.resolve(keysOf(record.tenant))
    },
    addSigningKey: (record) => keys.insert(record),
    retireSigningKey: (tenant, kid, at) => {
      const outcome = judgeRetirement(keysOf(tenant), kid, at)
      const key = keys.get(tenant, kid)
      if (key && outcome === 'retired') keys.put({ ...key, retiredAt: at })
      return Promise.resolve(outcome)
    },
  }
}
