import { ProofFault } from '../proof.ts'

/** Whatever the SDK threw: its name is the error code of STS, its status that of the answer. */
interface Thrown {
  readonly name?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

const federationOff =
  'the AWS account issues no web identity tokens; an administrator switches that on with iam:EnableOutboundWebIdentityFederation'
const mayNot =
  'the role of this workload may not call STS; allow the action sts:GetWebIdentityToken in its policy, and see that conditions on sts:IdentityTokenAudience, sts:DurationSeconds (300) and sts:SigningAlgorithm fit, and that no service control policy or VPC endpoint policy denies it'
const notAccepted =
  'STS does not accept the credentials of this workload: they have expired, were revoked, or the clock of this machine is wrong'

/** What STS says of a call for a web identity token (its API reference, and the errors common to all calls). */
const refusals: ReadonlyMap<string, ProofFault> = new Map(
  (
    [
      ['AccessDenied', 'proof_denied', mayNot],
      ['OutboundWebIdentityFederationDisabled', 'proof_denied', federationOff],
      [
        'JWTPayloadSizeExceeded',
        'proof_denied',
        'the web identity token would be too large; take tags off the role or its session',
      ],
      [
        'RegionDisabled',
        'proof_denied',
        'STS is not active in this region for the AWS account; activate it, or set broker.proof.aws.region',
      ],
      [
        'SessionDurationEscalation',
        'proof_unavailable',
        'the session of this workload ends before a web identity token of 300 s would; its credentials will be replaced',
      ],
      [
        'Throttling',
        'proof_unavailable',
        'STS throttles the calls of this AWS account; its quota is shared by all that the account runs',
      ],
      ['ExpiredToken', 'proof_credentials_refused', notAccepted],
      ['InvalidClientTokenId', 'proof_credentials_refused', notAccepted],
      ['UnrecognizedClient', 'proof_credentials_refused', notAccepted],
      ['SignatureDoesNotMatch', 'proof_credentials_refused', notAccepted],
      ['IncompleteSignature', 'proof_credentials_refused', notAccepted],
      ['RequestExpired', 'proof_credentials_refused', notAccepted],
    ] as const
  ).map(([name, code, detail]) => [name, new ProofFault(code, detail)]),
)

/** Why no web identity token came. The message of the error stays out: it quotes what was sent. */
export function tokenFault(error: unknown): ProofFault {
  const { name, $metadata } = (error ?? {}) as Thrown
  // Some codes come with this ending and some without.
  const known = refusals.get(typeof name === 'string' ? name.replace(/Exception$/, '') : '')
  if (known) return known
  const status = $metadata?.httpStatusCode
  if (typeof status !== 'number') {
    return new ProofFault(
      'proof_unavailable',
      'no answer of STS came: is its regional endpoint open to this workload, directly or by a VPC endpoint, and does nothing else answer in its place?',
    )
  }
  return new ProofFault(
    'proof_unavailable',
    `STS issued no web identity token and answered ${String(status)}`,
  )
}

/** Why there are no credentials. Whatever each link of the chain said may hold a path, an ARN or worse, and stays out. */
export function credentialsFault(): ProofFault {
  return new ProofFault(
    'proof_credentials_missing',
    'no AWS credentials were found; give the workload a role: an instance profile (in a container, with a hop limit of 2), a task role, an execution role, EKS Pod Identity, or IRSA with a trust policy that fits',
  )
}
