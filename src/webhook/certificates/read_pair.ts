import { createPrivateKey, X509Certificate } from 'node:crypto'

/** A certificate with its key. That they belong together was checked. */
export interface Pair {
  readonly certificate: X509Certificate
  readonly certPem: string
  readonly keyPem: string
}

/** One block and nothing beside it: what a server is given whole, it serves or chokes on whole. */
const ONE_CERTIFICATE =
  /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/
const ONE_KEY =
  /^\s*-----BEGIN (EC )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (EC )?PRIVATE KEY-----\s*$/
/** A certificate of ours has some 800 characters. */
const MAX_PEM_LENGTH = 16_384

/** The pair that stands in a Secret. `empty`: neither is there, as the chart renders it. */
export function readPair(
  certPem: string | undefined,
  keyPem: string | undefined,
): Pair | 'empty' | 'unusable' {
  if (!certPem && !keyPem) return 'empty'
  if (!certPem || !keyPem) return 'unusable'
  const certificate = readOne(certPem)
  if (!certificate || keyPem.length > MAX_PEM_LENGTH || !ONE_KEY.test(keyPem)) return 'unusable'
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return 'unusable'
    return { certificate, certPem: ended(certPem), keyPem: ended(keyPem) }
  } catch {
    return 'unusable'
  }
}

/** The certificate of a text that is one and nothing more. */
export function readOne(pem: string): X509Certificate | undefined {
  if (pem.length > MAX_PEM_LENGTH || !ONE_CERTIFICATE.test(pem)) return undefined
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** With a line's end behind it, so that PEM texts can stand behind one another. */
export function ended(pem: string): string {
  return `${pem.trim()}\n`
}

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** The certificates of a PEM bundle. Undefined where it has none, or one that cannot be read. */
export function readBundle(pem: string): readonly X509Certificate[] | undefined {
  try {
    const all = (pem.match(PEM) ?? []).map((each) => new X509Certificate(each))
    return all.length === 0 ? undefined : all
  } catch {
    return undefined
  }
}

/** Whether a CA issued a certificate: its name and its signature say so. */
export function isFrom(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** What names a CA certificate in `lumoauth.dev/ca`: the first 16 hex digits of the SHA-256 of its DER. */
export function certificateId(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()
}

/** The value of `lumoauth.dev/ca` for a pod that is given this bundle. */
export function bundleIds(pem: string): string {
  return (readBundle(pem) ?? []).map(certificateId).join(',')
}

/** Milliseconds since the Unix epoch. */
export function endOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime()
}
