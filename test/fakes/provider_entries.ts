import { resolveConfig } from '../../src/config/load.ts'
import { tenantWith } from './config_documents.ts'

export type Settings = Readonly<Record<string, unknown>>

export const PROVIDER = 'authority.tenants[0].providers[0]'
export const TENANT_ISSUER = 'https://auth.example/t/acme-corp/api/v1'
export const ENTRA = '72f988bf-0000-4000-8000-2d7cd011db47'
export const EKS = `https://oidc.eks.eu-west-1.amazonaws.com/id/${'0123456789ABCDEF'.repeat(2)}`
export const GKE =
  'https://container.googleapis.com/v1/projects/p/locations/europe-west1/clusters/c'
export const AKS = `https://westeurope.oic.prod-aks.azure.com/${ENTRA}/aaaaaaaa-0000-4000-8000-bbbbbbbbbbbb/`
export const STS = 'https://aaaa1111-0000-4000-8000-000000000001.tokens.sts.global.api.aws'
export const ACCOUNT = '111122223333'

export const document = (...providers: readonly Settings[]) =>
  tenantWith({ providers: providers.map((more, at) => ({ name: `p${String(at)}`, ...more })) })

/** The one provider of a configuration, as the program gets it. */
export function resolved(settings: Settings): unknown {
  const provider = resolveConfig(document(settings), {}).authority?.tenants[0]?.providers[0]
  if (!provider || !('keys' in provider)) return provider
  const { keys } = provider
  return { ...provider, keys: 'url' in keys ? { ...keys, url: keys.url.href } : keys }
}

export const kubernetes = { kind: 'kubernetes' }
export const webIdentity = {
  kind: 'aws',
  form: 'web-identity',
  issuers: [STS],
  accounts: [ACCOUNT],
}
export const signedRequest = {
  kind: 'aws',
  form: 'signed-request',
  accounts: [ACCOUNT],
  regions: ['eu-west-1'],
}
export const irsa = { kind: 'aws', form: 'irsa', issuers: [EKS] }
export const podIdentity = { ...irsa, form: 'pod-identity' }
export const azure = { kind: 'azure', tenantId: ENTRA, audiences: ['api://lumo'] }
export const oidc = { kind: 'oidc', issuers: ['https://gitlab.example.com'] }
export const eks = { ...kubernetes, preset: 'eks', issuers: [EKS] }
