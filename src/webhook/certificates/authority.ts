import type { X509Certificate } from 'node:crypto'
import { certificateId, readBundle, readPair, type Pair } from './read_pair.ts'

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
  const old = oldPem ? readBundle(oldPem)?.[0] : undefined
  if (signing === 'empty' && next === 'empty' && !oldPem) return 'empty'
  if (typeof signing === 'string' || next === 'unusable' || (oldPem && !old)) return 'unusable'
  return {
    signing,
    ...(next !== 'empty' && { next }),
    ...(oldPem && old && { old: { certificate: old, certPem: oldPem } }),
  }
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

/** How many of the pods trust no CA that is the newest. */
export function podsBefore(
  { signing, next }: Authority,
  pods: ReadonlyMap<string, number>,
): number {
  const newest = certificateId((next ?? signing).certificate)
  let before = 0
  for (const [ids, count] of pods) if (!ids.split(',').includes(newest)) before += count
  return before
}
