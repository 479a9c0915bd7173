import type { X509Certificate } from 'node:crypto'
import { CA_CURVE } from './issue.ts'
import { certificateId, ended, isFrom, readOne, readPair, type Pair } from './read_pair.ts'

/**
 * The CA as its Secret holds it. `signing` signs leaves; `next` is to follow it and is only trusted yet; `old` came before
 * it, has no key any more, and is trusted until every leaf is from `signing`. Never are there `next` and `old` at once.
 */
export interface Authority {
  readonly signing: Pair
  readonly next?: Pair | undefined
  readonly old?: { readonly certificate: X509Certificate; readonly certPem: string } | undefined
}

type Data = Readonly<Record<string, string>>

/**
 * Reads the CA's Secret. `unusable`: something is there that cannot be what we wrote, and it is left to the operator, since
 * a new CA in its place would cut off every pod that trusts the one that is there.
 */
export function readAuthority(data: Data): Authority | 'empty' | 'unusable' {
  const signing = readPair(data['tls.crt'], data['tls.key'])
  const next = readPair(data['next.crt'], data['next.key'])
  const oldPem = data['old.crt']
  const old = oldPem ? readOne(oldPem) : undefined
  if (signing === 'empty' && next === 'empty' && !oldPem) return 'empty'
  if (typeof signing === 'string' || next === 'unusable' || (oldPem && !old)) return 'unusable'
  if (!isSigningCa(signing) || (next !== 'empty' && !isSigningCa(next))) return 'unusable'
  return {
    signing,
    ...(next !== 'empty' && { next }),
    ...(oldPem && old && { old: { certificate: old, certPem: ended(oldPem) } }),
  }
}

/** The object identifier of name constraints (RFC 5280 section 4.2.1.10) in DER. */
const NAME_CONSTRAINTS = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e])

/**
 * A certificate that is no CA signs nothing that is believed, a key of another kind cannot sign as `issueLeaf` does, and what
 * names a CA is constrained to is not looked at here.
 */
function isSigningCa({ certificate }: Pair): boolean {
  return (
    certificate.ca &&
    certificate.publicKey.asymmetricKeyDetails?.namedCurve === CA_CURVE &&
    !certificate.raw.includes(NAME_CONSTRAINTS)
  )
}

/** Whether one of the CAs that are trusted issued a certificate. */
export function isIssuedBy(
  { signing, next, old }: Authority,
  certificate: X509Certificate,
): boolean {
  return [signing, next, old].some((each) => each && isFrom(certificate, each.certificate))
}

/** What `readAuthority` reads. `ca.crt` is there for people, who need not look at a key to see what is trusted. */
export function writeAuthority(authority: Authority): Data {
  const { signing, next, old } = authority
  return {
    'tls.crt': signing.certPem,
    'tls.key': signing.keyPem,
    ...(next && { 'next.crt': next.certPem, 'next.key': next.keyPem }),
    ...(old && { 'old.crt': old.certPem }),
    'ca.crt': bundleOf(authority),
  }
}

/** PEM of all that is to be trusted. */
export function bundleOf({ signing, next, old }: Authority): string {
  return [signing, next, old].map((each) => each?.certPem ?? '').join('')
}

/** Pods by what they trust. */
export interface PodsCounted {
  /** They trust a CA that is still there, and not the newest: a change of the CA waits for them. */
  readonly before: number
  /**
   * They trust no CA that is there. Nothing that waits could serve them any more; and whoever may make a pod can write such a
   * value, which must not hold a change up.
   */
  readonly without: number
}

/** Counts pods by the values of their annotation `lumoauth.dev/ca`. */
export function countPods(
  { signing, next, old }: Authority,
  pods: ReadonlyMap<string, number>,
): PodsCounted {
  const newest = certificateId((next ?? signing).certificate)
  const present = new Set(
    [signing, next, old].flatMap((each) => (each ? [certificateId(each.certificate)] : [])),
  )
  let before = 0
  let without = 0
  for (const [value, count] of pods) {
    const ids = value.split(',')
    if (ids.includes(newest)) continue
    if (ids.some((id) => present.has(id))) before += count
    else without += count
  }
  return { before, without }
}
