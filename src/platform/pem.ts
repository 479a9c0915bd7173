import { X509Certificate } from 'node:crypto'

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM text (RFC 7468), each in a block of its own, and nothing that stands between them. Undefined: there is
 * none, one cannot be read, or there is something else in PEM: a private key beside a certificate would go wherever that goes.
 */
export function certificatesIn(pem: string): readonly string[] | undefined {
  if (/-----BEGIN (?!CERTIFICATE-----)/.test(pem)) return undefined
  const blocks = pem.match(block) ?? []
  return blocks.length > 0 && blocks.every(isCertificate) ? blocks : undefined
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}
