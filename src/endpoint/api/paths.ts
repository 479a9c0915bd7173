import Type from 'typebox'
import type { ApiParameter } from '../../platform/api.ts'
import { prefixes } from '../reply.ts'

/** Both prefixes of a tenant mean the same; `suffix` tells the ids of their operations apart. */
export function tenantPrefixes(): readonly { readonly prefix: string; readonly suffix: string }[] {
  return prefixes.map((prefix) => ({
    prefix: prefix.replaceAll(/:([a-z]+)/g, '{$1}'),
    suffix: prefix.startsWith('/t/') ? '' : 'OfOrganization',
  }))
}

export function tenantParameter(): ApiParameter {
  return {
    name: 'tenant',
    in: 'path',
    required: true,
    description: 'The tenant.',
    schema: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }),
  }
}
