import Type from 'typebox'
import type { ApiParameter } from '../../platform/api.ts'

/** What a path begins with, and how that is said in the id of an operation; the longest first. */
const beginnings = [
  ['/t/:tenant/api/v1', ''],
  ['/orgs/:tenant/api/v1', 'OfOrganization'],
  ['/orgs/:tenant', 'AboveOrganization'],
  ['/t/:tenant', 'AboveTenant'],
  ['/api/v1', 'WithoutTenant'],
  ['', 'AtRoot'],
] as const

/** The path of a route as OpenAPI writes it. */
export function templateOf(route: string): string {
  return route.replace(':tenant', '{tenant}').replace('*', '{path}')
}

/** A name for the path of a route, such as `OauthUserinfoOfOrganization`. */
export function nameOf(route: string): string {
  const [prefix, suffix] = beginnings.find(([each]) => route.startsWith(each)) ?? ['', '']
  const words = route.slice(prefix.length).match(/[a-z]+/g) ?? []
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') + suffix
}

/** The parameters of a template of `templateOf`. */
export function pathParameters(template: string): readonly ApiParameter[] {
  return [
    ...(template.includes('{tenant}') ? [tenantParameter()] : []),
    ...(template.includes('{path}') ? [restParameter()] : []),
  ]
}

function tenantParameter(): ApiParameter {
  return {
    name: 'tenant',
    in: 'path',
    required: true,
    description: 'The tenant.',
    schema: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }),
  }
}

function restParameter(): ApiParameter {
  return {
    name: 'path',
    in: 'path',
    required: true,
    description: 'The rest of the path, which may have slashes.',
    schema: Type.String({ minLength: 1 }),
  }
}
