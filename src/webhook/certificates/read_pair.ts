import { createPrivateKey, X509Certificate } from 'node:crypto'

/** A certificate with its key. That they belong together was checked. */
export interface Pair {
  readonly certificate: X509Certificate
  readonly certPem: string
  readonly keyPem: string
}

/** The pair that stands in a Secret. `empty`: neither is there, as the chart renders it. */
export function readPair(
  certPem: string | undefined,
  keyPem: string | undefined,
): Pair | 'empty' | 'unusable' {
  if (!certPem && !keyPem) return 'empty'
  if (!certPem || !keyPem) return 'unusable'
  try {
    const certificate = new X509Certificate(certPem)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return 'unusable'
    return { certificate, certPem, keyPem }
  } catch {
    return 'unusable'
  }
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
