import { unixSeconds, type Clock } from '../platform/clock.ts'
import { showDuration } from '../platform/duration.ts'
import { printable } from '../platform/printable.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import type { UnverifiedJws } from '../verifier/jws.ts'
import { failed, ok, type Finding, type LinkName } from './finding.ts'

type Claims = UnverifiedJws['payload']

export interface ClaimExpectation {
  readonly audience: string
  /** Whether it is made of the authority's URL and the tenant, which may be what is wrong. */
  readonly derived: boolean
  /** Whether one that is bound to no pod is of no use: callers of a node broker are told apart by their pods. */
  readonly podNeeded: boolean
}

/** Verifiers commonly allow as much; beyond it the date is what is wrong. */
const LEEWAY_SECONDS = 30
const MAX_LIFETIME_SECONDS = 86_400
const MAKERS_OF_AUDIENCE: readonly LinkName[] = ['dns', 'tls', 'authority']
const CLOCK = 'is the clock of this machine right?'

/** Link 3: what the proof says of itself, as far as whoever holds it can judge. Nothing here is verified. */
export function claimsLink(claims: Claims, expected: ClaimExpectation, clock: Clock): Finding {
  const now = unixSeconds(clock)
  const form = formFault(claims)
  if (form) return failed('claims', ...form)
  const audience = audienceFault(claims, expected)
  if (audience) return failed('claims', ...audience, expected.derived ? MAKERS_OF_AUDIENCE : [])
  const date = dateFault(claims, now)
  // A wrong clock is what makes dates look wrong before it is looked at itself.
  if (date) return failed('claims', ...date, ['clock'])
  const { exp, sub, iss } = claims
  const bound = binding(claims)
  if (bound === 'none' && expected.podNeeded) {
    const advice = 'a pod gets such a token by a projected volume'
    return failed('claims', 'it is bound to no pod, and a node broker serves pods only', advice)
  }
  const left = showDuration(Number(exp) - now)
  const hint =
    bound === 'none'
      ? '; bound to no pod, which authorities refuse unless they are told otherwise'
      : bound
  return ok('claims', `${shown(sub)} by ${shown(iss)}, ${left} left${hint}`)
}

type Fault = readonly [detail: string, advice: string]

function formFault(claims: Claims): Fault | undefined {
  const lacking = [
    ...['iss', 'sub'].filter((name) => typeof claims[name] !== 'string'),
    ...['exp', 'iat'].filter((name) => typeof claims[name] !== 'number'),
  ]
  if (lacking.length === 0) return undefined
  // The tokens that lie in Secrets never expire.
  const advice = 'use the token of a projected volume, not that of a Secret'
  return [`it lacks ${lacking.join(', ')}`, advice]
}

function audienceFault(
  { aud }: Claims,
  { audience, derived }: ClaimExpectation,
): Fault | undefined {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (audiences.includes(audience)) return undefined
  const made = audiences.map(shown).join(', ')
  const advice = 'set the audience of the projected volume, or broker.proof.audience'
  const makers = '; or is broker.authority.url or .tenant wrong? The audience is made of them'
  return [
    `it is made for ${made}, and not for ${audience}`,
    derived ? `${advice}${makers}` : advice,
  ]
}

function dateFault(claims: Claims, now: number): Fault | undefined {
  const exp = Number(claims['exp'])
  const iat = Number(claims['iat'])
  const { nbf } = claims
  if (exp <= now) {
    return [`it expired ${showDuration(now - exp)} ago`, `does the kubelet rotate it, and ${CLOCK}`]
  }
  const from = Math.max(iat, typeof nbf === 'number' ? nbf : iat)
  if (from - LEEWAY_SECONDS > now) {
    return [`it becomes valid in ${showDuration(from - now)}`, CLOCK]
  }
  const warnAfter = boundOf(claims)?.['warnafter']
  if (typeof warnAfter === 'number' && warnAfter + LEEWAY_SECONDS <= now) {
    const ago = showDuration(now - warnAfter)
    return [
      `it should have been replaced ${ago} ago (warnafter)`,
      'use the token of a projected volume with an audience of its own',
    ]
  }
  if (exp - iat > MAX_LIFETIME_SECONDS) {
    return [
      `it lives for ${showDuration(exp - iat)}, and authorities take 24 h at most`,
      'set expirationSeconds of the projected volume to 86400 or less',
    ]
  }
  return undefined
}

function boundOf(claims: Claims): Claims | undefined {
  // One member whose name has a dot in it, not a path.
  const bound = claims['kubernetes.io']
  return isJsonObject(bound) ? bound : undefined
}

/** The pod that it is bound to; empty for a token of no cluster. */
function binding(claims: Claims): string {
  const bound = boundOf(claims)
  if (!bound) return ''
  const { pod, node } = bound
  if (!isJsonObject(pod)) return 'none'
  const on = isJsonObject(node) ? ` on node ${shown(node['name'])}` : ''
  return `; pod ${shown(pod['name'])}${on}`
}

/** Unverified: whoever wrote the file wrote this. */
function shown(value: unknown): string {
  return typeof value === 'string' ? printable(value, 200) : 'nobody'
}
