import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import { ended, endOf, type Pair } from './read_pair.ts'

export interface Issuing {
  readonly clock: Clock
  readonly random: Random
}

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
const CA_LIFE_MS = 10 * YEAR_MS
const LEAF_LIFE_MS = 90 * DAY_MS
/** For peers whose clock is behind ours. */
const BACKDATED_MS = 3_600_000
/** `ub-common-name`, RFC 5280 appendix A.1. */
const MAX_COMMON_NAME = 64

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** The same curve as the platform names it. */
export const CA_CURVE = 'prime256v1'

type Library = typeof import('@peculiar/x509')

/** Only who issues pays for the library; reading certificates is the platform's own. */
async function loadLibrary(): Promise<Library> {
  await import('reflect-metadata')
  // A CommonJS module, of which a bundle gives the default alone.
  const { default: library } = (await import('@peculiar/x509')) as unknown as { default: Library }
  return library
}

/** A new self-signed CA of 10 years that may sign leaves and no other CA. */
export async function makeCa({ clock, random }: Issuing): Promise<Pair> {
  const x509 = await loadLibrary()
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const serialNumber = serialOf(random)
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // A name of its own: two CAs of one name in a bundle make some verifiers try only the first.
      name: `CN=lumo-broker CA ${serialNumber.slice(0, 8)}`,
      serialNumber,
      keys,
      notBefore: new Date(clock.wall() - BACKDATED_MS),
      notAfter: new Date(clock.wall() + CA_LIFE_MS),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return pairOf(ca.toString('pem'), keys.privateKey)
}

/** A server certificate for the names, of 90 days or what the CA has left, with a new key. */
export async function issueLeaf(
  ca: Pair,
  dnsNames: readonly string[],
  { clock, random }: Issuing,
): Promise<Pair> {
  const x509 = await loadLibrary()
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const issuer = new x509.X509Certificate(ca.certPem)
  const signingKey = createPrivateKey(ca.keyPem).toCryptoKey(ALGORITHM, false, ['sign'])
  const commonName = dnsNames.find(({ length }) => length <= MAX_COMMON_NAME) ?? 'lumo-broker'
  const leaf = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${commonName}`,
      // As it stands, to the byte: written anew it may be of another string type, by which verifiers tell names apart.
      issuer: issuer.subjectName,
      serialNumber: serialOf(random),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(clock.wall() - BACKDATED_MS),
      notAfter: new Date(Math.min(clock.wall() + LEAF_LIFE_MS, endOf(ca.certificate))),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          dnsNames.map((value) => ({ type: 'dns' as const, value })),
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await authorityKeyOf(issuer, x509),
      ],
    },
    webcrypto,
  )
  return pairOf(leaf.toString('pem'), keys.privateKey)
}

/** What the CA says of its own key, however it was made of it (RFC 5280 section 4.2.1.1). */
function authorityKeyOf(issuer: InstanceType<Library['X509Certificate']>, x509: Library) {
  const own = issuer.getExtension(x509.SubjectKeyIdentifierExtension)
  return own
    ? new x509.AuthorityKeyIdentifierExtension(own.keyId)
    : x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto)
}

async function pairOf(pem: string, privateKey: webcrypto.CryptoKey): Promise<Pair> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  return {
    certificate: new X509Certificate(pem),
    certPem: ended(pem),
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }),
  }
}

/** RFC 5280 section 4.1.2.2: positive, 20 octets at most; a first octet of 0x40 to 0x7f keeps it both. */
function serialOf(random: Random): string {
  const bytes = random.bytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
