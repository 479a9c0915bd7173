import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { faultsOf, tenantsOf } from '../fakes/config_documents.ts'
import {
  ACCOUNT,
  EKS,
  ENTRA,
  PROVIDER,
  STS,
  azure,
  document,
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

const credentialsOfAws = (audience: string) =>
  `${PROVIDER}.audiences: tokens for ${audience} are credentials of AWS; kind aws with form irsa or pod-identity takes them, if you must`

type Case = readonly [name: string, settings: Settings, ...faults: readonly string[]]

const refused: readonly Case[] = [
  [
    'an unknown kind',
    { kind: 'spiffe' },
    `${PROVIDER}.kind: must be one of kubernetes, aws, gcp, azure, oidc`,
  ],
  [
    'an unknown preset',
    { ...eks, preset: 'minikube' },
    `${PROVIDER}.preset: must be one of eks, gke, aks, kind, k3s`,
  ],
  ['a cluster without issuer', kubernetes, `${PROVIDER}.issuers: must be given`],
  [
    'the audience of IRSA for a cluster',
    { ...eks, audiences: ['sts.amazonaws.com'] },
    credentialsOfAws('sts.amazonaws.com'),
  ],
  [
    'the audience of Pod Identity for a cluster',
    { ...eks, audiences: ['lumo', 'pods.eks.amazonaws.com'] },
    credentialsOfAws('pods.eks.amazonaws.com'),
  ],
  ...[`${EKS}/`, 'https://kubernetes.default.svc'].map((audience): Case => [
    `the audience of the API server in another spelling, ${audience}`,
    { ...eks, audiences: [audience] },
    `${PROVIDER}.audiences: tokens for their own issuer are credentials there: those of a cluster open its API server`,
  ]),
  [
    'the audience of the API server',
    { ...eks, audiences: [EKS] },
    `${PROVIDER}.audiences: tokens for their own issuer are credentials there: those of a cluster open its API server`,
  ],
  [
    'an algorithm that no API server has',
    { ...eks, algorithms: ['PS256'] },
    `${PROVIDER}.algorithms: no API server signs with PS256`,
  ],
  [
    'a kubeconfig for nothing',
    { ...eks, kubeconfig: '/k' },
    `${PROVIDER}.kubeconfig: is for tokenReview, which is off`,
  ],
  [
    'aws without form',
    { ...webIdentity, form: undefined },
    `${PROVIDER}.form: must be given for the kind aws`,
  ],
  [
    'web-identity without account',
    { ...webIdentity, accounts: undefined },
    `${PROVIDER}.accounts: must be given`,
  ],
  [
    'web-identity of two accounts',
    { ...webIdentity, accounts: [ACCOUNT, '444455556666'] },
    `${PROVIDER}.accounts: must be one, with its one issuer: each account has an issuer of its own`,
  ],
  [
    'web-identity of two issuers',
    { ...webIdentity, issuers: [STS, 'https://x.example'] },
    `${PROVIDER}.accounts: must be one, with its one issuer: each account has an issuer of its own`,
  ],
  [
    'an account that is none',
    { ...webIdentity, accounts: ['1234'] },
    `${PROVIDER}.accounts[0]: must be the 12 digits of an account in quotes`,
  ],
  ['irsa without issuer', { kind: 'aws', form: 'irsa' }, `${PROVIDER}.issuers: must be given`],
  [
    'signed-request without region',
    { ...signedRequest, regions: undefined },
    `${PROVIDER}.regions: must be given`,
  ],
  [
    'signed-request without account',
    { ...signedRequest, accounts: undefined },
    `${PROVIDER}.accounts: must be given`,
  ],
  [
    'a region whose hosts are not known',
    { ...signedRequest, regions: ['us-iso-east-1'] },
    `${PROVIDER}.regions: us-iso-east-1 is no region of the partition aws`,
  ],
  [
    'the audience of IRSA for another kind',
    { kind: 'oidc', issuers: ['https://cluster.example'], audiences: ['sts.amazonaws.com'] },
    credentialsOfAws('sts.amazonaws.com'),
  ],
  [
    'a region of another partition',
    { ...signedRequest, regions: ['cn-north-1'] },
    `${PROVIDER}.regions: cn-north-1 is no region of the partition aws`,
  ],
  [
    'a region of the partition before',
    { ...signedRequest, partition: 'aws-us-gov' },
    `${PROVIDER}.regions: eu-west-1 is no region of the partition aws-us-gov`,
  ],
  [
    'a signature that is too old for STS',
    { ...signedRequest, maxAge: 901 },
    `${PROVIDER}.maxAge: must be at most 900 for signed-request`,
  ],
  [
    'claims of a signed request',
    { ...signedRequest, claims: { sub: 'x' } },
    `${PROVIDER}.claims: means nothing for signed-request: a signed request has no claims`,
  ],
  [
    'demands on a signed request',
    { ...signedRequest, requiredClaims: ['jti'] },
    `${PROVIDER}.claims: means nothing for signed-request: a signed request has no claims`,
  ],
  [
    'STS over http',
    { ...signedRequest, stsEndpoint: 'http://sts.example' },
    `${PROVIDER}.stsEndpoint: must be an https URL; plain http is for loopback only`,
  ],
  [
    'azure without audience',
    { ...azure, audiences: undefined },
    `${PROVIDER}.audiences: must be given for the kind azure: the Application ID URI, of version 2 tokens the client id`,
  ],
  [
    'a tenant in upper case',
    { ...azure, tenantId: ENTRA.toUpperCase() },
    `${PROVIDER}.tenantId: must be a UUID in lower case`,
  ],
  [
    'a star in the middle of a claim',
    { ...oidc, claims: { sub: 'a**b' } },
    `${PROVIDER}.claims.sub: ** may stand at the very end only`,
  ],
  [
    'two stars beside a third',
    { ...oidc, claims: { sub: 'a/b*c**' } },
    `${PROVIDER}.claims.sub: the part that ends in ** must have no other star`,
  ],
  ['an age of a second', { ...oidc, maxAge: 1 }, `${PROVIDER}.maxAge: must be >= 30`],
]

describe('a provider is refused', () => {
  for (const [name, settings, ...faults] of refused) {
    test(name, () => {
      expect(faultsOf(() => resolved(settings))).toEqual(faults.toSorted())
    })
  }

  test('azure without tenant', () => {
    const faults = faultsOf(() => resolved({ ...azure, tenantId: undefined }))
    expect(faults).toContain(`${PROVIDER}.tenantId: must be given for the kind azure`)
  })
})

const shared = (name: string, tenant = 'acme-corp') =>
  `authority.tenants: provider ${name} of ${tenant} has an issuer and audience that another provider has too`

const pairs: readonly (readonly [name: string, document: unknown, ...faults: readonly string[]])[] =
  [
    ['two of Google', document({ kind: 'gcp' }, { kind: 'gcp' }), shared('p1')],
    [
      'two of Google for two audiences',
      document({ kind: 'gcp' }, { kind: 'gcp', audiences: ['x'] }),
    ],
    [
      'one of Google and one of any issuer that is Google',
      document({ kind: 'gcp' }, { kind: 'oidc', issuers: ['https://accounts.google.com'] }),
      shared('p1'),
    ],
    ['irsa and pod-identity of one cluster', document(irsa, podIdentity)],
    ['irsa twice', document(irsa, irsa), shared('p1')],
    ['a cluster and IRSA in it', document(eks, irsa)],
    [
      'signed requests of one partition',
      document(signedRequest, { ...signedRequest, accounts: ['444455556666'] }),
      shared('p1'),
    ],
    [
      'signed requests of two partitions',
      document(signedRequest, { ...signedRequest, partition: 'aws-cn', regions: ['cn-north-1'] }),
    ],
    [
      'two versions of Entra and one of its issuers',
      document(azure, {
        kind: 'oidc',
        issuers: [`https://sts.windows.net/${ENTRA}/`],
        audiences: ['api://lumo'],
      }),
      shared('p1'),
    ],
    [
      'irsa of two tenants, which have one audience',
      tenantsOf(
        { slug: 'a', providers: [{ name: 'x', ...irsa }] },
        { slug: 'b', providers: [{ name: 'x', ...irsa }] },
      ),
      shared('x', 'b'),
    ],
    [
      'Google of two tenants, which have audiences of their own',
      tenantsOf(
        { slug: 'a', providers: [{ name: 'x', kind: 'gcp' }] },
        { slug: 'b', providers: [{ name: 'x', kind: 'gcp' }] },
      ),
    ],
  ]

describe('a pair of issuer and audience is that of one provider', () => {
  for (const [name, document, ...faults] of pairs) {
    test(name, () => {
      expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults)
    })
  }
})
