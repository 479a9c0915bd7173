import { matchesPattern, type Pattern } from '../platform/pattern.ts'
import type { RefusalCode } from './refusal.ts'

export type Claims = Readonly<Record<string, unknown>>

/** What the claims of a provider's proofs have to be, beside what their kind needs. */
export interface ClaimRules {
  /** Seconds since `iat`. */
  readonly maxAgeSeconds: number | undefined
  readonly requiredClaims: readonly string[]
  readonly claims: readonly { readonly name: string; readonly pattern: Pattern }[]
}

/** Clocks of an issuer and of an authority differ a little. */
export const LEEWAY_SECONDS = 30
/** Platforms renew long before; only a proof taken out of its workload lives longer. */
const MAX_LIFETIME_SECONDS = 24 * 3_600
/**
 * Entra dates `iat` back by five minutes: the token of a managed identity, which lives for 24 hours, spans 86 700 s.
 * https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
const ENTRA_BACKDATING_SECONDS = 300

const CLOCK_HINT = 'is the clock of this authority right?'

/** A rule that does not hold: thrown by what reads claims, caught where a proof is judged, never seen beyond. */
export class RuleBroken extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/**
 * The dates of a proof (RFC 7519 section 4.1), all in seconds. Answers its `exp`.
 * @throws RuleBroken
 */
export function checkTimes(
  claims: Claims,
  { kind, maxAgeSeconds }: Pick<ClaimRules, 'maxAgeSeconds'> & { readonly kind: string },
  now: number,
): number {
  const exp = seconds(claims, 'exp')
  const iat = seconds(claims, 'iat')
  const nbf = claims['nbf'] === undefined ? iat : seconds(claims, 'nbf')
  if (exp <= iat) throw new RuleBroken('claim_malformed', 'exp is not after iat')
  const backdating = kind === 'azure' ? ENTRA_BACKDATING_SECONDS : 0
  if (exp - iat > MAX_LIFETIME_SECONDS + backdating) {
    throw new RuleBroken('lifetime_too_long', 'the proof lives longer than 24 hours')
  }
  if (exp + LEEWAY_SECONDS <= now) throw new RuleBroken('expired', `exp has passed; ${CLOCK_HINT}`)
  if (iat - LEEWAY_SECONDS > now) {
    throw new RuleBroken('not_yet_valid', `iat lies in the future; ${CLOCK_HINT}`)
  }
  if (nbf - LEEWAY_SECONDS > now) {
    throw new RuleBroken('not_yet_valid', `nbf lies in the future; ${CLOCK_HINT}`)
  }
  if (maxAgeSeconds !== undefined && iat + maxAgeSeconds + LEEWAY_SECONDS <= now) {
    throw new RuleBroken('too_old', 'the proof was made longer ago than maxAge')
  }
  return exp
}

/**
 * The rules that the operator made. A claim is found by its exact name: names with dots in them are no paths.
 * @throws RuleBroken
 */
export function checkRules(claims: Claims, rules: ClaimRules): void {
  for (const name of rules.requiredClaims) {
    if (!Object.hasOwn(claims, name) || claims[name] === null) {
      throw new RuleBroken('claim_missing', `${name} is missing`)
    }
  }
  for (const { name, pattern } of rules.claims) {
    if (!Object.hasOwn(claims, name)) throw new RuleBroken('claim_missing', `${name} is missing`)
    const value = claims[name]
    if (typeof value !== 'string' || !matchesPattern(pattern, value)) {
      throw new RuleBroken('claim_mismatch', `${name} is not what the provider demands`)
    }
  }
}

/** @throws RuleBroken */
export function text(claims: Claims, name: string): string {
  const value = claims[name]
  if (value === undefined) throw new RuleBroken('claim_missing', `${name} is missing`)
  if (typeof value !== 'string' || value === '') {
    throw new RuleBroken('claim_malformed', `${name} is no text`)
  }
  return value
}

/** @throws RuleBroken */
export function seconds(claims: Claims, name: string): number {
  const value = claims[name]
  if (value === undefined) throw new RuleBroken('claim_missing', `${name} is missing`)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RuleBroken('claim_malformed', `${name} is no time`)
  }
  return value
}

const MAX_SUBJECT_LENGTH = 512

/**
 * A `sub` that goes into logs and audit rows: bounded, printable.
 * @throws RuleBroken
 */
export function subject(claims: Claims): string {
  const sub = text(claims, 'sub')
  if (sub.length > MAX_SUBJECT_LENGTH || !/^[\x20-\x7e]+$/.test(sub)) {
    throw new RuleBroken('claim_malformed', 'sub is too long or not printable')
  }
  return sub
}
