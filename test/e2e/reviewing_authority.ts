import { randomBytes } from 'node:crypto'
import { parse, stringify } from 'yaml'
import { makeCa } from '../fakes/certificates.ts'
import { SYSTEM } from './authority.ts'
import { manifestsOf, type Cluster, type Manifest } from './cluster.ts'
import { DEMO } from './pods.ts'

/** Namespace of a second authority, whose account may do nothing but create TokenReviews. */
export const REVIEWING = 'lumo-reviewing'
/** Accounts of pods that prove themselves to it: one that rules know by name, one that a rule knows by uid. */
export const PROVER = 'prover'
export const PINNED = 'pinned'

export const HOST = `lumo-authority.${REVIEWING}.svc`
const ISSUER = `https://${HOST}:9170/t/acme-corp/api/v1`
const CLUSTER_ISSUER = 'https://kubernetes.default.svc.cluster.local'
const ACCESS = '/var/run/secrets/kubernetes.io/serviceaccount'
export const NODE_PORT_SERVICE = 'lumo-authority-from-outside'

/** One provider each for the ways to verify the same cluster; the audience of a token selects it. */
export type ProviderName = 'offline' | 'preferred' | 'required' | 'discovered'

export function audienceOf(provider: ProviderName): string {
  return `${ISSUER}#${provider}`
}

/** Makes the second authority, and the accounts that its policy names. */
export async function makeReviewing(cluster: Cluster): Promise<void> {
  for (const name of [PROVER, PINNED]) {
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: DEMO },
    })
  }
  const pinned = (await cluster.get('serviceaccount', PINNED, DEMO)) as {
    readonly metadata: { readonly uid: string }
  }
  const ca = await makeCa(REVIEWING)
  const { cert, key } = await ca.issue([HOST])
  const copies = await authorityThere(await configuration(cluster), policy(pinned.metadata.uid))
  await cluster.apply(
    ...copies.filter(({ kind }) => kind === 'Namespace'),
    ...copies.filter(({ kind }) => kind !== 'Namespace'),
    ...permission(),
    secret('lumo-authority-tls', { 'tls.crt': cert, 'tls.key': key }),
    secret('lumo-authority-key-encryption', { key: randomBytes(32).toString('base64') }),
    configMap('lumo-authority-ca', { 'ca.crt': ca.pem }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NODE_PORT_SERVICE, namespace: REVIEWING },
      spec: {
        type: 'NodePort',
        selector: { 'app.kubernetes.io/name': 'lumo-authority' },
        ports: [{ port: 9170 }],
      },
    },
  )
}

/** The objects of `deploy/by-hand/authority.yaml` in the other namespace, but for its permissions. */
async function authorityThere(
  config: (section: Record<string, unknown>) => void,
  policy: string,
): Promise<readonly Manifest[]> {
  const kinds = new Set(['Namespace', 'ServiceAccount', 'Service', 'StatefulSet'])
  const all = (await manifestsOf('authority.yaml')).map(
    (manifest) => parse(stringify(manifest).replaceAll(SYSTEM, REVIEWING)) as Manifest,
  )
  const original = all.find(({ metadata }) => metadata.name === 'lumo-authority-config')
  const data = original?.['data'] as { readonly 'config.yaml': string } | undefined
  const changed = parse(data?.['config.yaml'] ?? '') as { authority: Record<string, unknown> }
  config(changed.authority)
  return [
    ...all.filter(({ kind }) => kinds.has(kind)),
    configMap('lumo-authority-config', { 'config.yaml': stringify(changed) }),
    configMap('lumo-policy', { 'policy.yaml': policy }),
  ]
}

async function configuration(
  cluster: Cluster,
): Promise<(authority: Record<string, unknown>) => void> {
  const document = await cluster.kubectl('get', '--raw', '/.well-known/openid-configuration')
  const { jwks_uri: uri } = JSON.parse(document) as { readonly jwks_uri: string }
  const provider = (name: ProviderName, more: object = {}): object => ({
    name,
    kind: 'kubernetes',
    issuers: [CLUSTER_ISSUER],
    audiences: [audienceOf(name)],
    ...more,
  })
  const discovery = {
    discovery: true,
    hosts: [new URL(CLUSTER_ISSUER).host, new URL(uri).host],
    caFile: `${ACCESS}/ca.crt`,
    bearerTokenFile: `${ACCESS}/token`,
  }
  return (authority) => {
    authority['limits'] = { workloadPerMinute: 6_000 }
    authority['tenants'] = [
      {
        slug: 'acme-corp',
        policy: '/etc/lumo/policy',
        providers: [
          provider('offline'),
          provider('preferred', { tokenReview: 'preferred' }),
          provider('required', { tokenReview: 'required' }),
          provider('discovered', { keys: discovery }),
        ],
      },
    ]
  }
}

function policy(pinnedUid: string): string {
  const agent = (name: string, provider: ProviderName, serviceAccount: string, uid?: string) => ({
    name,
    proof: { provider, namespace: DEMO, serviceAccount, ...(uid !== undefined && { uid }) },
    grants: [{ scopes: ['agent:self'] }],
  })
  return stringify({
    agents: [
      agent('prover-offline', 'offline', PROVER),
      agent('prover-preferred', 'preferred', PROVER),
      agent('prover-required', 'required', PROVER),
      agent('prover-discovered', 'discovered', PROVER),
      agent('by-uid', 'offline', PINNED, pinnedUid),
      agent('by-name', 'preferred', PINNED),
    ],
  })
}

/** All that TokenReviews need. The keys of the cluster every account may read. */
function permission(): readonly Manifest[] {
  const group = 'rbac.authorization.k8s.io'
  return [
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name: REVIEWING },
      rules: [
        { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: REVIEWING },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: REVIEWING },
      subjects: [{ kind: 'ServiceAccount', name: 'lumo-authority', namespace: REVIEWING }],
    },
  ]
}

function secret(name: string, stringData: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: REVIEWING }, stringData }
}

function configMap(name: string, data: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: REVIEWING }, data }
}
