import type { Authority } from './authority.ts'
import { endOf, isFrom, type Pair } from './read_pair.ts'

const DAY_MS = 86_400_000
const NEXT_CA_BEFORE_MS = 2 * 365 * DAY_MS
/** After that the signing CA ends for everybody, so waiting for pods gains nothing. */
const SWITCH_ANYWAY_BEFORE_MS = 7 * DAY_MS
/**
 * How long everything must carry the bundle before the CA that signs changes, and every leaf must be new before the old CA
 * is forgotten: kubelets bring a changed Secret into its volumes within minutes, and a replica that was slow to read it
 * may have injected a pod just now.
 */
export const SETTLED_MS = 600_000

/**
 * How long a replica that cannot read its certificates goes on putting the bundle that it read last into pods. Well within
 * what a change of the CA waits for: of pods that are given an old bundle after that, nobody would know.
 */
export const STALE_MS = SETTLED_MS / 2

export interface Situation {
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** How long nothing had to be written. */
  readonly steadyMs: number
  /** Pods that do not trust the newest CA, counted just now. Undefined: not counted. */
  readonly podsBefore?: number | undefined
}

export type AuthorityStep =
  'replace_future' | 'drop_future' | 'make_next' | 'switch' | 'switch_anyway' | 'retire_old'

/**
 * How far our clock may be off the API server's for anything to be written. With a clock far ahead every CA seems to end,
 * and pods are cut off that trust it; with one far behind nobody believes yet what is signed.
 */
const MAX_SKEW_MS = 300_000

/**
 * Why nothing may be written by our clock, which the API server's is ahead of by so much. One of the two must be wrong; which of
 * them, nobody here can tell.
 */
export function skewReason(aheadMs: number | undefined): string | undefined {
  if (aheadMs === undefined || Math.abs(aheadMs) <= MAX_SKEW_MS) return undefined
  const minutes = Math.round(Math.abs(aheadMs) / 60_000)
  return (
    `the clock here is ${String(minutes)} minutes ${aheadMs > 0 ? 'behind' : 'ahead of'} that of the API server: nothing is ` +
    'written from here until they agree; look at the time of the nodes'
  )
}

/**
 * What is due for the CA, one step at a time: its successor is made and trusted two years ahead, signs when no pod is left
 * that does not trust it, and the old one leaves the bundle when no leaf is left that it signed.
 */
export function authorityStep(
  { signing, next, old }: Authority,
  { now, steadyMs, podsBefore }: Situation,
): AuthorityStep | undefined {
  // Made by a writer whose clock was far ahead. Nobody can verify anything with it, so nobody is cut off without it.
  if (isFuture(signing, now)) return 'replace_future'
  if (next && isFuture(next, now)) return 'drop_future'
  const left = endOf(signing.certificate) - now
  const settled = steadyMs >= SETTLED_MS
  if (next) {
    if (left < SWITCH_ANYWAY_BEFORE_MS) return 'switch_anyway'
    return settled && podsBefore === 0 ? 'switch' : undefined
  }
  if (left < NEXT_CA_BEFORE_MS && !old) return 'make_next'
  return old && settled ? 'retire_old' : undefined
}

function isFuture({ certificate }: Pair, now: number): boolean {
  return certificate.validFromDate.getTime() > now + MAX_SKEW_MS
}

export type LeafReason = 'missing' | 'unusable' | 'names' | 'issuer' | 'age'

/** Why a leaf is to be issued anew. Undefined: it is good. */
export function leafReason(
  leaf: Pair | 'empty' | 'unusable',
  dnsNames: readonly string[],
  signing: Pair,
  now: number,
): LeafReason | undefined {
  if (leaf === 'empty') return 'missing'
  if (leaf === 'unusable') return 'unusable'
  const { certificate } = leaf
  const issuer = signing.certificate
  if (!isFrom(certificate, issuer)) return 'issuer'
  if (namesOf(certificate.subjectAltName) !== [...dnsNames].sort().join()) return 'names'
  const start = certificate.validFromDate.getTime()
  const due = start + ((endOf(certificate) - start) * 2) / 3
  // Before its start it was made by a clock that was wrong.
  return now < start || now >= due ? 'age' : undefined
}

/** `DNS:a, DNS:b`, sorted. Names are of a set of characters that this form does not quote. */
function namesOf(subjectAltName = ''): string {
  return subjectAltName
    .split(', ')
    .map((each) => each.replace(/^DNS:/, ''))
    .sort()
    .join()
}
