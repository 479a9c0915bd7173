import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, onTestFinished, test } from 'vitest'
import { readBundle } from '../../../src/webhook/certificates/read_pair.ts'
import { DAY_MS, handshake, Release } from './release.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const LEAF = 'lumo-authority-tls'

/** A CA that an operator brings, as other programs make them. */
async function caWith(
  name: ConstructorParameters<typeof x509.Name>[0],
  more: readonly x509.Extension[] = [],
): Promise<Readonly<Record<string, string>>> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: new x509.Name(name),
      keys,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3_650 * DAY_MS),
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true), ...more],
    },
    webcrypto,
  )
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    // Without a line's end, as a shell leaves it.
    'tls.crt': ca.toString('pem').trim(),
    'tls.key': x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  }
}

async function releaseWith(ca: Readonly<Record<string, string>>) {
  const release = new Release()
  onTestFinished(() => release.stop())
  release.cluster.put('lumo-ca', ca)
  const replica = await release.begin('a')
  return { release, replica }
}

/** UTF8String, as OpenSSL writes names; ours are PrintableString where they can be. */
const ofOpenSsl = [{ O: [{ utf8String: 'Example Corp' }] }, { CN: [{ utf8String: 'my ca' }] }]

test('what is signed by a CA of the operator names it to the byte', async () => {
  const ca = await caWith(ofOpenSsl)
  const { release } = await releaseWith(ca)
  const leaf = new x509.X509Certificate(release.cluster.data(LEAF)['tls.crt'] ?? '')
  const own = new x509.X509Certificate(ca['tls.crt'] ?? '')
  expect(Buffer.from(leaf.issuerName.toArrayBuffer()).toString('hex')).toBe(
    Buffer.from(own.subjectName.toArrayBuffer()).toString('hex'),
  )
  const outcome = handshake(release.cluster.data(LEAF), release.bundle(), 'lumo-authority')
  expect(await outcome).toBe('trusted')
})

test('and its key as the CA itself calls it; it is signed once', async () => {
  const keyId = '01020304'
  const ca = await caWith(ofOpenSsl, [new x509.SubjectKeyIdentifierExtension(keyId)])
  const { release } = await releaseWith(ca)
  const leaf = new x509.X509Certificate(release.cluster.data(LEAF)['tls.crt'] ?? '')
  expect(leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(keyId)
  await release.pass(60_000)
  expect(release.cluster.writes).toHaveLength(3)
  const outcome = handshake(release.cluster.data(LEAF), release.bundle(), 'lumo-authority')
  expect(await outcome).toBe('trusted')
})

test('a CA without a line’s end stands beside its successor in a bundle that can be read', async () => {
  const { release } = await releaseWith(await caWith(ofOpenSsl))
  await release.pass(8 * 365 * DAY_MS + 2 * DAY_MS, 4 * 365 * DAY_MS)
  expect(release.bundle()).not.toContain('----------')
  expect(readBundle(release.bundle())).toHaveLength(2)
})

test('a CA whose names are constrained is refused: what it signs would be believed by nobody', async () => {
  const constraints = new x509.Extension('2.5.29.30', true, Buffer.from('3000', 'hex'))
  const { release, replica } = await releaseWith(await caWith(ofOpenSsl, [constraints]))
  expect(release.cluster.writes).toEqual([])
  expect(replica.log.lines.at(-1)?.fields['reason']).toContain('holds no CA that can be used')
})

test.each([
  {
    did: 'put something behind it',
    to: (pem: string) => `${pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  },
  { did: 'put it there a thousand times', to: (pem: string) => pem.repeat(1_000) },
  { did: 'wrote words beside it', to: (pem: string) => `words\n${pem}` },
])('whoever $did, a leaf is issued anew', async ({ to }) => {
  const release = new Release()
  onTestFinished(() => release.stop())
  const replica = await release.begin('a')
  for (const secret of [LEAF, 'lumo-webhook-tls']) {
    const { 'tls.crt': cert = '', ...rest } = release.cluster.data(secret)
    release.cluster.put(secret, { ...rest, 'tls.crt': to(cert) })
  }
  await release.pass(20_000)
  for (const secret of [LEAF, 'lumo-webhook-tls']) {
    expect(release.cluster.data(secret)['tls.crt']?.match(/BEGIN/g)).toHaveLength(1)
  }
  expect(replica.kept.tls()?.cert).toBe(release.cluster.data('lumo-webhook-tls')['tls.crt'])
})
