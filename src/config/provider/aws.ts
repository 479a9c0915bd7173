import { partitionOf } from './aws_regions.ts'
import type { ReportFault } from '../document.ts'
import { eksAudiences, resolveIssuing } from './issuing.ts'
import { safeUrl } from './keys.ts'
import type { ProviderEntry } from './schema.ts'
import type { ProviderConfig } from './config.ts'

/** Four hours less than the life that EKS gives them, and more than the kubelet lets them grow old: 80 % and its own delay. */
const EKS_MAX_AGE = 72_000
const AWS_MAX_AGE = 300
/** STS takes no signature that is older. */
const SIGNED_MAX_AGE = 900

/** The cross rules of the kind aws, by its form. `issuer`: that of the tenant. */
export function resolveAws(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  const { form, accounts = [] } = entry
  if (form === undefined) fault(`${path}.form`, 'must be given for the kind aws')
  if (form === 'irsa' || form === 'pod-identity') {
    return eksToken(entry, form, path, issuer, fault)
  }
  if (accounts.length === 0) fault(`${path}.accounts`, 'must be given')
  if (form === 'signed-request') return signedRequest(entry, path, issuer, fault)
  onlyFor(entry, ['regions', 'partition', 'stsEndpoint', 'requirePod'], form, path, fault)
  const resolved = resolveIssuing(entry, path, issuer, fault, {
    algorithms: ['RS256', 'ES384'],
    keys: { discovery: true },
    maxAge: AWS_MAX_AGE,
  })
  if (accounts.length > 1 || resolved.issuers.length > 1) {
    fault(
      `${path}.accounts`,
      'must be one, with its one issuer: each account has an issuer of its own',
    )
  }
  return { kind: 'aws', ...resolved, account: accounts[0] ?? '' }
}

function eksToken(
  entry: ProviderEntry,
  form: keyof typeof eksAudiences,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  onlyFor(entry, ['regions', 'partition', 'stsEndpoint', 'accounts'], form, path, fault)
  const audiences = entry.audiences ?? [eksAudiences[form]]
  const resolved = resolveIssuing({ ...entry, audiences }, path, issuer, fault, {
    algorithms: ['RS256'],
    keys: { discovery: true },
    maxAge: EKS_MAX_AGE,
    takesAwsCredentials: true,
  })
  return {
    kind: 'kubernetes',
    ...resolved,
    requirePod: entry.requirePod ?? true,
    node: undefined,
    review: undefined,
  }
}

function signedRequest(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
): ProviderConfig {
  const tokensOnly = ['issuers', 'algorithms', 'keys', 'requirePod']
  onlyFor(entry, tokensOnly, 'signed-request', path, fault)
  if (entry.requiredClaims.length > 0 || Object.keys(entry.claims).length > 0) {
    fault(`${path}.claims`, 'means nothing for signed-request: a signed request has no claims')
  }
  const { regions = [], partition = 'aws', maxAge = AWS_MAX_AGE, stsEndpoint } = entry
  if (regions.length === 0) fault(`${path}.regions`, 'must be given')
  for (const region of regions) {
    if (partitionOf(region) !== partition) {
      fault(`${path}.regions`, `${region} is no region of the partition ${partition}`)
    }
  }
  if (maxAge > SIGNED_MAX_AGE) fault(`${path}.maxAge`, 'must be at most 900 for signed-request')
  return {
    kind: 'aws4_request',
    name: entry.name,
    audiences: entry.audiences ?? [issuer],
    partition,
    regions,
    accounts: entry.accounts ?? [],
    maxAgeSeconds: maxAge,
    endpoint:
      stsEndpoint === undefined ? undefined : safeUrl(stsEndpoint, `${path}.stsEndpoint`, fault),
  }
}

function onlyFor(
  entry: ProviderEntry,
  settings: readonly string[],
  form: string | undefined,
  path: string,
  fault: ReportFault,
): void {
  for (const setting of settings) {
    if (entry[setting as keyof ProviderEntry] !== undefined) {
      fault(`${path}.${setting}`, `means nothing for the form ${form ?? 'web-identity'}`)
    }
  }
}
