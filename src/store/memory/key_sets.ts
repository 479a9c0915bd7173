import { KEY_SET_DROPPED_AFTER } from '../key_set_age.ts'
import type { KeptKeySetRecord } from '../records.ts'
import type { Store } from '../store.ts'
import { Table } from './table.ts'

export function keySets(): Pick<Store, 'keepKeySet' | 'keptKeySet'> {
  const sets = new Table<KeptKeySetRecord>(({ tenant, name }) => [tenant, name])
  return {
    keepKeySet: (record) => {
      const there = sets.get(record.tenant, record.name)
      if (!there || there.fetchedAt <= record.fetchedAt) sets.put(record)
      const dropped = record.fetchedAt - KEY_SET_DROPPED_AFTER
      sets.removeWhere(({ tenant, fetchedAt }) => tenant === record.tenant && fetchedAt < dropped)
      return Promise.resolve()
    },
    keptKeySet: (tenant, name) => Promise.resolve(sets.get(tenant, name)),
  }
}
