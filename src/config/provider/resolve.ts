import { resolveAws } from './aws.ts'
import type { ReportFault } from '../document.ts'
import { resolveIssuing } from './issuing.ts'
import { pathPatternFault } from '../../platform/pattern.ts'
import { presetFaults, presetOf } from './preset.ts'
import type { ProviderEntry } from './schema.ts'
import type { ProviderConfig } from './config.ts'

/** Settings that are for some kinds only. */
const settingsOf: Readonly<Record<ProviderEntry['kind'], readonly string[]>> = {
  kubernetes: ['preset', 'requirePod', 'node', 'tokenReview', 'kubeconfig'],
  aws: ['form', 'accounts', 'partition', 'regions', 'stsEndpoint', 'requirePod'],
  gcp: [],
  azure: ['tenantId'],
  oidc: [],
}
const ofSomeKinds = new Set(Object.values(settingsOf).flat())

/** The cross rules of one provider. `issuer`: that of its tenant. */
export function resolveProvider(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  for (const [setting, value] of Object.entries(entry)) {
    if (value === undefined || !ofSomeKinds.has(setting)) continue
    if (!settingsOf[entry.kind].includes(setting)) {
      fault(`${path}.${setting}`, `means nothing for the kind ${entry.kind}`)
    }
  }
  for (const [claim, text] of Object.entries(entry.claims)) {
    const wrong = pathPatternFault(text)
    if (wrong !== undefined) fault(`${path}.claims.${claim}`, wrong)
  }
  switch (entry.kind) {
    case 'kubernetes':
      return kubernetes(entry, path, issuer, fault)
    case 'aws':
      return resolveAws(entry, path, issuer, fault)
    case 'gcp':
      return {
        kind: 'gcp',
        ...resolveIssuing(entry, path, issuer, fault, {
          issuers: ['https://accounts.google.com'],
          algorithms: ['RS256'],
          keys: { jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs' },
        }),
      }
    case 'azure':
      return azure(entry, path, issuer, fault)
    case 'oidc':
      return {
        kind: 'oidc',
        ...resolveIssuing(entry, path, issuer, fault, {
          algorithms: ['RS256', 'ES256'],
          keys: { discovery: true },
        }),
      }
  }
}

function kubernetes(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  const { tokenReview = 'off', kubeconfig } = entry
  presetFaults(entry, path, fault)
  const resolved = resolveIssuing(entry, path, issuer, fault, presetOf(entry))
  if (kubeconfig !== undefined && tokenReview === 'off') {
    fault(`${path}.kubeconfig`, 'is for tokenReview, which is off')
  }
  return {
    kind: 'kubernetes',
    ...resolved,
    requirePod: entry.requirePod ?? true,
    node: entry.node,
    review: tokenReview === 'off' ? undefined : { mode: tokenReview, kubeconfig },
  }
}

function azure(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  const { tenantId = '' } = entry
  if (tenantId === '') fault(`${path}.tenantId`, 'must be given for the kind azure')
  if (entry.audiences === undefined) {
    fault(
      `${path}.audiences`,
      'must be given for the kind azure: the Application ID URI, of version 2 tokens the client id',
    )
  }
  return {
    kind: 'azure',
    ...resolveIssuing(entry, path, issuer, fault, {
      // Version 1 and version 2 of access tokens.
      issuers: [
        `https://sts.windows.net/${tenantId}/`,
        `https://login.microsoftonline.com/${tenantId}/v2.0`,
      ],
      algorithms: ['RS256'],
      keys: { jwksUrl: `https://login.microsoftonline.com/${tenantId}/discovery/v2.0/keys` },
    }),
    tenantId,
  }
}
