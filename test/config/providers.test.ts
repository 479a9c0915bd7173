import { describe, expect, test } from 'vitest'
import { faultsOf } from '../fakes/config_documents.ts'
import {
  ACCOUNT,
  AKS,
  EKS,
  ENTRA,
  GKE,
  PROVIDER,
  STS,
  TENANT_ISSUER,
  azure,
  eks,
  irsa,
  kubernetes,
  oidc,
  podIdentity,
  resolved,
  signedRequest,
  webIdentity,
  type Settings,
} from '../fakes/provider_entries.ts'

const discovery = { from: 'discovery', hosts: [], caFile: undefined, bearerTokenFile: undefined }
const jwks = (url: string) => ({ ...discovery, from: 'jwksUrl', url })
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const inCluster = {
  ...jwks('https://kubernetes.default.svc/openid/v1/jwks'),
  caFile: `${SERVICE_ACCOUNT}/ca.crt`,
  bearerTokenFile: `${SERVICE_ACCOUNT}/token`,
}

const defaults: readonly (readonly [name: string, settings: Settings, expected: Settings])[] = [
  [
    'a cluster without preset',
    { ...kubernetes, issuers: ['https://cluster.example'] },
    {
      kind: 'kubernetes',
      audiences: [TENANT_ISSUER],
      algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
      keys: inCluster,
      requirePod: true,
      node: undefined,
      review: undefined,
      maxAgeSeconds: undefined,
      requiredClaims: [],
      claims: {},
      keyStalenessMs: 86_400_000,
    },
  ],
  ['eks', eks, { algorithms: ['RS256'], keys: discovery, requirePod: true }],
  ['gke', { ...kubernetes, preset: 'gke', issuers: [GKE] }, { keys: jwks(`${GKE}/jwks`) }],
  ['aks', { ...kubernetes, preset: 'aks', issuers: [AKS] }, { issuers: [AKS], keys: discovery }],
  ...['kind', 'k3s'].map(
    (preset) =>
      [
        preset,
        { ...kubernetes, preset },
        { issuers: ['https://kubernetes.default.svc.cluster.local'], keys: inCluster },
      ] as const,
  ),
  [
    'kind, with another issuer',
    { ...kubernetes, preset: 'kind', issuers: ['https://kind.example'] },
    { issuers: ['https://kind.example'], keys: inCluster },
  ],
  [
    'web-identity',
    webIdentity,
    {
      kind: 'aws',
      account: ACCOUNT,
      audiences: [TENANT_ISSUER],
      algorithms: ['RS256', 'ES384'],
      keys: discovery,
      maxAgeSeconds: 300,
    },
  ],
  [
    'signed-request',
    signedRequest,
    {
      kind: 'aws4_request',
      name: 'p0',
      audiences: [TENANT_ISSUER],
      partition: 'aws',
      regions: ['eu-west-1'],
      accounts: [ACCOUNT],
      maxAgeSeconds: 300,
      endpoint: undefined,
    },
  ],
  [
    'irsa',
    irsa,
    {
      kind: 'kubernetes',
      audiences: ['sts.amazonaws.com'],
      algorithms: ['RS256'],
      keys: discovery,
      maxAgeSeconds: 72_000,
      requirePod: true,
    },
  ],
  [
    'pod-identity',
    podIdentity,
    { kind: 'kubernetes', audiences: ['pods.eks.amazonaws.com'], maxAgeSeconds: 72_000 },
  ],
  ['irsa with a shorter age', { ...irsa, maxAge: 3_600 }, { maxAgeSeconds: 3_600 }],
  [
    'gcp',
    { kind: 'gcp' },
    {
      kind: 'gcp',
      issuers: ['https://accounts.google.com'],
      audiences: [TENANT_ISSUER],
      algorithms: ['RS256'],
      keys: jwks('https://www.googleapis.com/oauth2/v3/certs'),
    },
  ],
  [
    'azure',
    azure,
    {
      kind: 'azure',
      tenantId: ENTRA,
      issuers: [
        `https://sts.windows.net/${ENTRA}/`,
        `https://login.microsoftonline.com/${ENTRA}/v2.0`,
      ],
      algorithms: ['RS256'],
      keys: jwks(`https://login.microsoftonline.com/${ENTRA}/discovery/v2.0/keys`),
    },
  ],
  [
    'oidc',
    oidc,
    { kind: 'oidc', algorithms: ['RS256', 'ES256'], keys: discovery, audiences: [TENANT_ISSUER] },
  ],
  [
    'tokenReview',
    { ...eks, tokenReview: 'preferred', kubeconfig: '/k' },
    { review: { mode: 'preferred', kubeconfig: '/k' } },
  ],
]

describe('what a provider gets without asking', () => {
  test.each(defaults)('%s', (_, settings, expected) => {
    expect(resolved(settings)).toMatchObject(expected)
  })
})

const EKS_FORM = 'must be https://oidc.eks.REGION.amazonaws.com/id/ID, without a slash at the end'
const GKE_FORM =
  'must be https://container.googleapis.com/v1/projects/PROJECT/locations/LOCATION/clusters/CLUSTER, without a slash at the end'
const AKS_FORM =
  'must be https://REGION.oic.prod-aks.azure.com/TENANT/ID/ with the slash at the end, which is part of it'

/** Issuers as each preset has them; without a fault: it is one. */
const issuers: readonly (readonly [preset: string, issuer: string, fault?: string])[] = [
  ['eks', EKS],
  ['eks', EKS.replace('.com/', '.com.cn/')],
  ['eks', EKS.replace('oidc.eks.eu-west-1.amazonaws.com', 'oidc-eks.eu-west-1.api.aws')],
  ['eks', `${EKS}/`, EKS_FORM],
  ['eks', EKS.toLowerCase(), EKS_FORM],
  ['eks', EKS.slice(0, -1), EKS_FORM],
  ['eks', EKS.replace('amazonaws.com', 'amazonaws.com.evil.example'), EKS_FORM],
  ['gke', GKE],
  ['gke', `${GKE}/`, GKE_FORM],
  ['gke', GKE.replace('/v1', ''), GKE_FORM],
  ['aks', AKS],
  ['aks', `https://oidc.prod-aks.azure.com/${ENTRA}/`],
  ['aks', AKS.slice(0, -1), AKS_FORM],
  ['aks', `${AKS}/`, AKS_FORM],
  ['aks', 'https://westeurope.oic.prod-aks.azure.com/', AKS_FORM],
  ['kind', 'http://kind.example', 'must be an https URL'],
  ['k3s', 'k3s', 'must be an https URL'],
]

describe('the issuer of the preset', () => {
  test.each(issuers)('%s: %s', (preset, issuer, fault) => {
    const expected = fault === undefined ? [] : [`${PROVIDER}.issuers[0]: ${fault}`]
    const settings = { ...kubernetes, preset, issuers: [issuer] }
    expect(faultsOf(() => resolved(settings))).toEqual(expected)
  })
})

/** Of each kind: settings that mean nothing for it. */
const meaningless: readonly (readonly [
  name: string,
  settings: Settings,
  more: Settings,
  reason: string,
])[] = [
  [
    'kubernetes',
    eks,
    {
      form: 'irsa',
      accounts: [ACCOUNT],
      partition: 'aws',
      regions: ['eu-west-1'],
      stsEndpoint: 'https://x',
      tenantId: ENTRA,
    },
    'kind kubernetes',
  ],
  [
    'web-identity',
    webIdentity,
    { preset: 'eks', node: 'n', tokenReview: 'off', kubeconfig: '/k', tenantId: ENTRA },
    'kind aws',
  ],
  [
    'web-identity, of the other forms',
    webIdentity,
    { regions: ['eu-west-1'], partition: 'aws', stsEndpoint: 'https://x', requirePod: true },
    'form web-identity',
  ],
  [
    'signed-request',
    signedRequest,
    { issuers: [STS], algorithms: ['RS256'], keys: { discovery: true }, requirePod: true },
    'form signed-request',
  ],
  [
    'irsa',
    irsa,
    { regions: ['eu-west-1'], partition: 'aws', stsEndpoint: 'https://x', accounts: [ACCOUNT] },
    'form irsa',
  ],
  ['pod-identity', podIdentity, { accounts: [ACCOUNT] }, 'form pod-identity'],
  [
    'gcp',
    { kind: 'gcp' },
    { preset: 'gke', requirePod: true, tenantId: ENTRA, accounts: [ACCOUNT] },
    'kind gcp',
  ],
  ['azure', azure, { preset: 'aks', node: 'n', form: 'irsa' }, 'kind azure'],
  [
    'oidc',
    oidc,
    { preset: 'eks', requirePod: false, tenantId: ENTRA, accounts: [ACCOUNT] },
    'kind oidc',
  ],
]

describe('settings that mean nothing are refused', () => {
  test.each(meaningless)('%s', (_, settings, more, reason) => {
    for (const [setting, value] of Object.entries(more)) {
      const faults = faultsOf(() => resolved({ ...settings, [setting]: value }))
      expect(faults).toContain(`${PROVIDER}.${setting}: means nothing for the ${reason}`)
    }
  })
})
