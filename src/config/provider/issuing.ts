import type { ReportFault } from '../document.ts'
import { resolveKeys, type KeysEntry } from './keys.ts'
import type { SignatureAlgorithm } from '../../oauth/signature_algorithms.ts'
import type { IssuingConfig } from './config.ts'
import type { ProviderEntry } from './schema.ts'

/** The audiences of tokens that AWS itself takes: whoever gets one can be the pod there. */
export const eksAudiences = { irsa: 'sts.amazonaws.com', 'pod-identity': 'pods.eks.amazonaws.com' }

/** Stands in for an issuer that was not given, which is a fault already. */
const UNNAMED = 'https://unnamed.invalid'

/** What a kind has where its entry says nothing. */
export interface IssuingDefaults {
  readonly issuers?: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly keys: Partial<KeysEntry>
  readonly maxAge?: number
  /** Tokens that AWS takes are meant, and nothing else takes them by mistake. */
  readonly takesAwsCredentials?: boolean
}

/** The settings that every issuer of tokens has. `issuer`: that of the tenant. */
export function resolveIssuing(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
  defaults: IssuingDefaults,
): IssuingConfig {
  const issuers = entry.issuers ?? defaults.issuers ?? []
  if (issuers.length === 0) fault(`${path}.issuers`, 'must be given')
  const audiences = entry.audiences ?? [issuer]
  for (const audience of audiences) checkAudience(audience, issuers, defaults, path, fault)
  return {
    name: entry.name,
    issuers,
    audiences,
    algorithms: entry.algorithms ?? defaults.algorithms,
    maxAgeSeconds: entry.maxAge ?? defaults.maxAge,
    requiredClaims: entry.requiredClaims,
    claims: entry.claims,
    keys: resolveKeys(entry.keys ?? defaults.keys, issuers[0] ?? UNNAMED, path, fault),
    keyStalenessMs: entry.keyStaleness * 1000,
  }
}

/** What API servers call themselves inside of their cluster. */
const ownApiServer: ReadonlySet<string> = new Set([
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
])

function withoutSlash(url: string): string {
  return url.replace(/\/$/, '')
}

/** A proof whose audience is somebody else's door opens that door too. */
function checkAudience(
  audience: string,
  issuers: readonly string[],
  { takesAwsCredentials = false }: IssuingDefaults,
  path: string,
  fault: ReportFault,
): void {
  if (!takesAwsCredentials && Object.values(eksAudiences).includes(audience)) {
    fault(
      `${path}.audiences`,
      `tokens for ${audience} are credentials of AWS; kind aws with form irsa or pod-identity takes them, if you must`,
    )
  }
  const isIssuer = issuers.some((issuer) => withoutSlash(issuer) === withoutSlash(audience))
  if (isIssuer || ownApiServer.has(withoutSlash(audience))) {
    fault(
      `${path}.audiences`,
      'tokens for their own issuer are credentials there: those of a cluster open its API server',
    )
  }
}
