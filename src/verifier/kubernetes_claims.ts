import { isJsonObject } from '../platform/strict_json.ts'
import { provenIdentity, type ObjectReference, type WorkloadIdentity } from './identity.ts'
import { ProofRefusal, type RefusalCode } from './refusal.ts'

interface ClaimRules {
  readonly name: string
  readonly requirePod: boolean
}

type Claims = Readonly<Record<string, unknown>>

/** Clocks of a cluster and of an authority differ a little. */
const LEEWAY_SECONDS = 30
/** The kubelet renews long before; only a token taken out of its pod lives longer. */
const MAX_LIFETIME_SECONDS = 24 * 3_600

const CLOCK_HINT = 'is the clock of this authority right?'

/** Of pkg/serviceaccount/claims.go. A binding that is not listed here means something that we do not know. */
const knownMembers = new Set(['namespace', 'serviceaccount', 'pod', 'node', 'secret', 'warnafter'])
const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const dnsSubdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Thrown and caught in this file only: a rule that does not hold ends the reading at once. */
class RuleBroken extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/**
 * Reads the claims of a service-account token whose signature is good, whose issuer and audience are the provider's.
 * `now` in Unix seconds.
 */
export function kubernetesClaims(
  claims: Claims,
  rules: ClaimRules,
  now: number,
): WorkloadIdentity | ProofRefusal {
  try {
    const expiresAt = checkTimes(claims, now)
    return provenIdentity({
      kind: 'kubernetes',
      provider: rules.name,
      issuer: text(claims, 'iss'),
      expiresAt,
      ...checkWorkload(claims, rules, now),
    })
  } catch (error) {
    if (error instanceof RuleBroken) return new ProofRefusal(error.code, error.message, rules.name)
    throw error
  }
}

function checkTimes(claims: Claims, now: number): number {
  const exp = seconds(claims, 'exp')
  const iat = seconds(claims, 'iat')
  const nbf = claims['nbf'] === undefined ? iat : seconds(claims, 'nbf')
  if (exp <= iat) throw new RuleBroken('claim_malformed', 'exp is not after iat')
  if (exp - iat > MAX_LIFETIME_SECONDS) {
    throw new RuleBroken('lifetime_too_long', 'the proof lives longer than 24 hours')
  }
  if (exp + LEEWAY_SECONDS <= now) throw new RuleBroken('expired', `exp has passed; ${CLOCK_HINT}`)
  if (iat - LEEWAY_SECONDS > now)
    throw new RuleBroken('not_yet_valid', `iat lies in the future; ${CLOCK_HINT}`)
  if (nbf - LEEWAY_SECONDS > now)
    throw new RuleBroken('not_yet_valid', `nbf lies in the future; ${CLOCK_HINT}`)
  return exp
}

function checkWorkload(claims: Claims, rules: ClaimRules, now: number) {
  // One member whose name has a dot in it, not a path.
  const bound = claims['kubernetes.io']
  if (bound === undefined) throw new RuleBroken('claim_missing', 'kubernetes.io is missing')
  if (!isJsonObject(bound)) throw new RuleBroken('claim_malformed', 'kubernetes.io is no object')
  if (Object.keys(bound).some((member) => !knownMembers.has(member))) {
    throw new RuleBroken('binding_unknown', 'the token is bound to something unknown')
  }
  const namespace = text(bound, 'namespace')
  if (!dnsLabel.test(namespace))
    throw new RuleBroken('claim_malformed', 'namespace is no DNS label')
  const serviceAccount = reference(bound, 'serviceaccount')
  const subject = text(claims, 'sub')
  if (subject !== `system:serviceaccount:${namespace}:${serviceAccount.name}`) {
    throw new RuleBroken('subject_mismatch', 'sub and kubernetes.io name different accounts')
  }
  const pod = bound['pod'] === undefined ? undefined : reference(bound, 'pod')
  const node = bound['node'] === undefined ? undefined : nodeReference(bound)
  if (bound['secret'] !== undefined) {
    reference(bound, 'secret')
    if (pod ?? node) throw new RuleBroken('binding_unknown', 'bound to a secret and to more')
  }
  checkWarnAfter(bound, now)
  if (rules.requirePod && !pod) throw new RuleBroken('not_pod_bound', 'bound to no pod')
  return { subject, namespace, serviceAccount, pod, node }
}

/** Set where the API server stretched the life of a token to a year for old clients: past it, the token is stale. */
function checkWarnAfter(bound: Claims, now: number): void {
  if (bound['warnafter'] !== undefined && seconds(bound, 'warnafter') + LEEWAY_SECONDS <= now) {
    throw new RuleBroken('expired', 'warnafter has passed')
  }
}

function nodeReference(bound: Claims): WorkloadIdentity['node'] {
  const node = bound['node']
  if (!isJsonObject(node)) throw new RuleBroken('claim_malformed', 'node is no object')
  return { name: objectName(node), uid: node['uid'] === undefined ? undefined : uid(node) }
}

function reference(bound: Claims, member: string): ObjectReference {
  const value = bound[member]
  if (value === undefined) throw new RuleBroken('claim_missing', `${member} is missing`)
  if (!isJsonObject(value)) throw new RuleBroken('claim_malformed', `${member} is no object`)
  return { name: objectName(value), uid: uid(value) }
}

function objectName(object: Claims): string {
  const name = text(object, 'name')
  if (!dnsSubdomain.test(name)) throw new RuleBroken('claim_malformed', 'a name is no DNS name')
  return name
}

function uid(object: Claims): string {
  const value = text(object, 'uid')
  if (value.length > 64) throw new RuleBroken('claim_malformed', 'a uid is too long')
  return value
}

function text(claims: Claims, name: string): string {
  const value = claims[name]
  if (value === undefined) throw new RuleBroken('claim_missing', `${name} is missing`)
  if (typeof value !== 'string' || value === '') {
    throw new RuleBroken('claim_malformed', `${name} is no text`)
  }
  return value
}

function seconds(claims: Claims, name: string): number {
  const value = claims[name]
  if (value === undefined) throw new RuleBroken('claim_missing', `${name} is missing`)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RuleBroken('claim_malformed', `${name} is no time`)
  }
  return value
}
