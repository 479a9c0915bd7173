import { createHash } from 'node:crypto'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { HttpClient } from '../../platform/http_client.ts'
import type { WorkloadFacts } from '../identity.ts'
import { CannotVerify, ProofRefusal } from '../refusal.ts'
import { parseCallerArn, type Principal } from './arn.ts'
import { askCallerIdentity, type CallerIdentity } from './caller_identity.ts'
import type { AwsPartition } from '../../config/provider/aws_regions.ts'
import { stsIssuer } from './endpoints.ts'
import type { Questions } from './questions.ts'
import type { SignedRequest } from './signed_request.ts'

/** Whose signed GetCallerIdentity requests are accepted, and where STS is asked about them. */
export interface SignedRequestProvider {
  readonly name: string
  readonly kind: 'aws4_request'
  /** Accepted values of `x-lumo-audience`: the issuer of the tenant. */
  readonly audiences: readonly string[]
  readonly partition: AwsPartition
  /** Regions whose STS may be asked. */
  readonly regions: readonly string[]
  /** Of 12 digits each. */
  readonly accounts: readonly string[]
  /** By `X-Amz-Date`; what is over 900 counts as 900. */
  readonly maxAgeSeconds: number
  /**
   * Where STS of each region is asked; without it, at AWS's own host of the region. The `Host` header stays that of AWS
   * (it is signed), and over TLS so does the name that the certificate is checked against.
   */
  readonly endpoint?: URL | undefined
  readonly ask: HttpClient
  /** The questions of this provider that are under way. */
  readonly questions: Questions
  /** True the first time: takes the signature (its SHA-256, base64url) until then, Unix seconds. */
  readonly once: (hash: string, untilSeconds: number) => Promise<boolean>
}

/** STS takes a signature for 15 minutes, whatever its caller wanted. */
const STS_LIFETIME_SECONDS = 900
const SKEW_SECONDS = 30

/**
 * Judges a signed request: what can be judged here, then by STS, which alone has the key, and at last that it is shown
 * for the first time. Rejects only where `once` does.
 */
export async function verifySignedRequest(
  request: SignedRequest,
  provider: SignedRequestProvider,
  clock: Clock,
): Promise<WorkloadFacts | ProofRefusal | CannotVerify> {
  const unfit = checkRequest(request, provider, unixSeconds(clock))
  if (unfit) return unfit
  const caller = await provider.questions.ask(() => askCallerIdentity(request, provider))
  if (caller === 'busy') {
    return new CannotVerify('too many questions to STS are under way', provider.name, 1)
  }
  if (caller instanceof ProofRefusal || caller instanceof CannotVerify) return caller
  const facts = checkCaller(caller, request, provider)
  if (facts instanceof ProofRefusal || facts instanceof CannotVerify) return facts
  // Not before STS said yes: rubbish must neither fill the store nor take the place of a signature.
  const hash = createHash('sha256').update(request.authorization.signature).digest('base64url')
  const first = await provider.once(hash, facts.expiresAt + SKEW_SECONDS)
  return first ? facts : new ProofRefusal('replayed', 'the request was shown before', provider.name)
}

function checkRequest(
  { region, partition, audience, signedAt }: SignedRequest,
  provider: SignedRequestProvider,
  now: number,
): ProofRefusal | undefined {
  const refuse = (code: ProofRefusal['code'], detail: string) =>
    new ProofRefusal(code, detail, provider.name)
  if (!provider.audiences.includes(audience)) {
    return refuse('audience_mismatch', 'x-lumo-audience names another')
  }
  if (partition !== provider.partition || !provider.regions.includes(region)) {
    return refuse('request_not_allowed', 'the region is not among those allowed')
  }
  if (now - signedAt > Math.min(provider.maxAgeSeconds, STS_LIFETIME_SECONDS)) {
    return refuse('too_old', 'x-amz-date is too long ago')
  }
  if (signedAt - now > SKEW_SECONDS) return refuse('not_yet_valid', 'x-amz-date is in the future')
  return undefined
}

/**
 * What the answer says, held against what the configuration allows. The account is looked at as STS states it and as the
 * ARN does: role names repeat in every account (CVE-2025-11621).
 */
function checkCaller(
  { Arn, Account, UserId }: CallerIdentity,
  request: SignedRequest,
  provider: SignedRequestProvider,
): WorkloadFacts | ProofRefusal | CannotVerify {
  const refuse = (code: ProofRefusal['code'], detail: string) =>
    new ProofRefusal(code, detail, provider.name)
  const principal = parseCallerArn(Arn)
  if (principal === 'not_an_arn') return notUnderstood(provider)
  const { partition, account } = principal
  if (
    partition !== provider.partition ||
    account !== Account ||
    !provider.accounts.includes(account)
  ) {
    return refuse('account_mismatch', 'the account of the caller is not among those allowed')
  }
  if (principal.arn === undefined) {
    return refuse('principal_unsupported', 'the caller is neither a role nor a user')
  }
  const uniqueId = uniqueIdOf(UserId, principal)
  if (uniqueId === undefined) return notUnderstood(provider)
  return {
    kind: 'aws',
    provider: provider.name,
    issuer: stsIssuer(request),
    subject: principal.arn,
    expiresAt: request.signedAt + STS_LIFETIME_SECONDS,
    partition,
    account,
    uniqueId,
  }
}

function notUnderstood(provider: SignedRequestProvider): CannotVerify {
  return new CannotVerify('STS names a caller in a way that is not understood', provider.name, 5)
}

/**
 * The unique id in `aws:userid`: `AROA…:SESSION` of a role, `AIDA…` of a user.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
 */
function uniqueIdOf(userId: string, { session }: Principal): string | undefined {
  if (session === undefined) return /^AIDA[A-Z0-9]{12,124}$/.test(userId) ? userId : undefined
  const [id = '', ...rest] = userId.split(':')
  return /^AROA[A-Z0-9]{12,124}$/.test(id) && rest.join(':') === session ? id : undefined
}
