import type { Cluster } from './cluster.ts'

export const SYSTEM = 'lumo-system'
export const AUTHORITY_POD = 'lumo-authority-0'
export const ISSUER = 'https://lumo-authority.lumo-system.svc:9170/t/acme-corp/api/v1'

/** A document of an authority, through the API server's proxy. */
export async function documentOf(
  cluster: Cluster,
  [namespace, service]: readonly [namespace: string, service: string],
  path: string,
): Promise<unknown> {
  const raw = `/api/v1/namespaces/${namespace}/services/https:${service}:9170/proxy${path}`
  return JSON.parse(await cluster.kubectl('get', '--raw', raw))
}

/** A document of the authority of docs/by-hand.md. */
export function authorityDocument(cluster: Cluster, path: string): Promise<unknown> {
  return documentOf(cluster, [SYSTEM, 'lumo-authority'], path)
}

export function jwksOf(cluster: Cluster): Promise<unknown> {
  return authorityDocument(cluster, '/t/acme-corp/api/v1/.well-known/jwks.json')
}

export async function untilAuthorityReady(cluster: Cluster): Promise<void> {
  await cluster.kubectl(
    '-n',
    SYSTEM,
    'rollout',
    'status',
    'statefulset/lumo-authority',
    '--timeout=180s',
  )
}
