import type { ReportFault } from '../document.ts'
import type { KeysEntry } from './keys.ts'
import type { ProviderEntry } from './schema.ts'

type Preset = NonNullable<ProviderEntry['preset']>

interface PresetDefaults {
  readonly issuers?: readonly string[]
  readonly algorithms: readonly ('RS256' | 'ES256' | 'ES384' | 'ES512')[]
  readonly keys: Partial<KeysEntry>
}

/** What the API server of the own cluster is called from inside a pod, and what opens it. */
const inCluster: Partial<KeysEntry> = {
  jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks',
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
}

/** What API servers sign with (pkg/serviceaccount/jwt.go), and external signers (KEP-740). */
const algorithms = ['RS256', 'ES256', 'ES384', 'ES512'] as const

/** The issuer that kubeadm and k3s give a cluster that was told none. */
const defaultIssuer = 'https://kubernetes.default.svc.cluster.local'

/** How the issuers of clusters are written by those who run them; a byte more or less is another issuer. */
const forms: Readonly<Record<Preset, { readonly form: RegExp; readonly sentence: string }>> = {
  eks: {
    form: /^https:\/\/(oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|oidc-eks\.[a-z0-9-]+\.api\.aws)\/id\/[0-9A-F]{32}$/,
    sentence: 'must be https://oidc.eks.REGION.amazonaws.com/id/ID, without a slash at the end',
  },
  gke: {
    form: /^https:\/\/container\.googleapis\.com\/v1\/projects\/[^/]+\/locations\/[^/]+\/clusters\/[^/]+$/,
    sentence:
      'must be https://container.googleapis.com/v1/projects/PROJECT/locations/LOCATION/clusters/CLUSTER, without a slash at the end',
  },
  aks: {
    form: /^https:\/\/([a-z0-9-]+\.oic|oidc)\.prod-aks\.azure\.com\/([0-9a-f-]{36}\/)?[0-9a-f-]{36}\/$/,
    sentence:
      'must be https://REGION.oic.prod-aks.azure.com/TENANT/ID/ with the slash at the end, which is part of it',
  },
  kind: { form: /^https:\/\/[^\s]+$/, sentence: 'must be an https URL' },
  k3s: { form: /^https:\/\/[^\s]+$/, sentence: 'must be an https URL' },
}

/** What a cluster's provider has where its entry says nothing. */
export function presetOf({ preset, issuers }: ProviderEntry): PresetDefaults {
  switch (preset) {
    case 'eks':
    case 'aks':
      return { algorithms: ['RS256'], keys: { discovery: true } }
    case 'gke':
      // Public, and beside the issuer (getJwks of the Kubernetes Engine API).
      return { algorithms: ['RS256'], keys: { jwksUrl: `${issuers?.[0] ?? ''}/jwks` } }
    case 'kind':
    case 'k3s':
      return { issuers: [defaultIssuer], algorithms, keys: inCluster }
    case undefined:
      return { algorithms, keys: inCluster }
    default:
      return preset satisfies never
  }
}

/** Issuers that are not written as the preset's are. A token would be refused as one of an unknown issuer, and nobody would see why. */
export function presetFaults(
  { preset, issuers = [], algorithms: given = [] }: ProviderEntry,
  path: string,
  fault: ReportFault,
): void {
  const foreign = given.find((name) => !(algorithms as readonly string[]).includes(name))
  if (foreign !== undefined) {
    fault(`${path}.algorithms`, `no API server signs with ${foreign}`)
  }
  if (preset === undefined) return
  const { form, sentence } = forms[preset]
  issuers.forEach((issuer, index) => {
    if (!form.test(issuer)) fault(`${path}.issuers[${String(index)}]`, sentence)
  })
}
