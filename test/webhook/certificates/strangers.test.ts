import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { describe, expect, onTestFinished, test } from 'vitest'
import { shiftedClock } from '../../../src/platform/clock.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { readAuthority, writeAuthority } from '../../../src/webhook/certificates/authority.ts'
import { makeCa } from '../../../src/webhook/certificates/issue.ts'
import { bundleIds } from '../../../src/webhook/certificates/read_pair.ts'
import { DAY_MS, handshake, Release } from './release.ts'

const OWN = 'lumo-webhook-tls'
const OWN_NAME = 'lumo-webhook.lumo-system.svc'
const NOT_KEPT = 'certificates cannot be kept'

function makeRelease(): Release {
  const release = new Release()
  onTestFinished(() => release.stop())
  return release
}

/** All that another release has in its Secrets. */
async function another(): Promise<Release> {
  const other = new Release()
  await other.begin('x')
  await other.stop()
  return other
}

describe("whoever may write the Secret of the webhook's leaf, and no other", () => {
  test('is trusted by no pod: the bundle is that of the CA', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    await release.pass(10_000)
    const bundle = a.kept.caBundle()
    release.cluster.put(OWN, (await another()).cluster.data(OWN))
    a.objects.cutOff = true
    await b.kept.look()
    expect(b.kept.caBundle()).toBe(bundle)
  })

  test('does not have the webhook serve with a certificate of his own, and it is mended', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    await release.pass(10_000)
    const before = b.kept.tls()
    release.cluster.put(OWN, (await another()).cluster.data(OWN))
    await b.kept.look()
    expect(b.kept.tls()).toEqual(before)
    expect(b.log.lines.at(-1)?.fields['reason']).toBe(
      `the Secret ${OWN} holds a certificate that is not of our CA`,
    )
    await release.pass(10_000)
    expect(a.log.text()).toContain('"reason":"issuer"')
    expect(await handshake(release.cluster.data(OWN), b.kept.caBundle() ?? '', OWN_NAME)).toBe(
      'trusted',
    )
    await b.kept.look()
    expect(b.kept.tls()?.cert).toBe(release.cluster.data(OWN)['tls.crt'])
  })
})

test('a Secret that somebody else writes each time is told of, by name, and the rest is kept', async () => {
  const release = makeRelease()
  release.cluster.beforeWrite = (name) => {
    if (name === 'lumo-authority-tls') release.cluster.put(name, {})
  }
  const { kept, log } = await release.begin('a')
  expect(log.lines.at(-1)).toMatchObject({
    level: 'warn',
    message: NOT_KEPT,
    fields: {
      reason:
        'lumo-authority-tls was written by somebody else each time that it was to be brought up to date: ' +
        'its managedFields tell by whom',
    },
  })
  expect(await handshake(release.cluster.data(OWN), kept.caBundle() ?? '', OWN_NAME)).toBe(
    'trusted',
  )
  expect(release.cluster.caBundles.get('lumo-webhook')).toBe(kept.caBundle())
})

test("while the webhook's own Secret is spoiled, the API server goes on trusting what it serves with", async () => {
  const release = makeRelease()
  const { kept } = await release.begin('a')
  const [pair, trusted] = [kept.tls(), release.cluster.caBundles.get('lumo-webhook')]
  release.cluster.beforeWrite = (name) => {
    if (name === OWN) release.cluster.put(OWN, {})
  }
  release.cluster.put('lumo-ca', {})
  await release.pass(20_000)
  expect(kept.caBundle()).not.toBe(trusted)
  expect([kept.tls(), release.cluster.caBundles.get('lumo-webhook')]).toEqual([pair, trusted])
})

describe('pods whose annotation names no CA that is there', () => {
  test.each([
    { pods: 'a forged value', value: 'ffffffffffffffff' },
    { pods: 'no list of ids', value: '' },
  ])('do not hold a change of the CA up, and are counted apart: $pods', async ({ value }) => {
    const release = makeRelease()
    const replica = await release.begin('a')
    const old = new X509Certificate(replica.kept.caBundle() ?? '')
    release.cluster.pods = [value, value]
    await release.pass(8 * 365 * DAY_MS, 4 * 365 * DAY_MS)
    await release.pass(DAY_MS, 600_000)
    expect(release.leaf('lumo-authority-tls').checkIssued(old)).toBe(false)
    expect([
      await replica.gauge('lumo_webhook_pods_before_ca'),
      await replica.gauge('lumo_webhook_pods_without_ca'),
    ]).toEqual([0, 2])
  })

  test('are those, too, that trust only what was there before', async () => {
    const release = makeRelease()
    const replica = await release.begin('a')
    release.cluster.pods = [bundleIds(replica.kept.caBundle() ?? ''), 'ffffffffffffffff']
    release.cluster.put('lumo-ca', {})
    await release.pass(20_000)
    expect([
      await replica.gauge('lumo_webhook_pods_before_ca'),
      await replica.gauge('lumo_webhook_pods_without_ca'),
    ]).toEqual([0, 2])
  })
})

describe('where the clock of the API server says something else', () => {
  test.each([
    { ahead: 301_000, says: 'the clock here is 5 minutes behind that of the API server' },
    { ahead: -7_200_000, says: 'the clock here is 120 minutes ahead of that of the API server' },
  ])('by $ahead ms, nothing is written, and why', async ({ ahead, says }) => {
    const release = makeRelease()
    release.cluster.aheadMs = ahead
    const { log } = await release.begin('a')
    expect(release.cluster.writes).toEqual([])
    expect(log.lines.at(-1)?.fields['reason']).toContain(says)
    release.cluster.aheadMs = ahead > 0 ? 300_000 : -300_000
    await release.pass(20_000)
    expect(release.cluster.writes).toHaveLength(4)
  })

  test('the writer lets the Lease lapse, and a replica whose clock is right writes', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    a.objects.aheadMs = 7_200_000
    release.cluster.put('lumo-authority-tls', {})
    release.cluster.writes.length = 0
    await release.pass(40_000)
    expect(release.cluster.writes).toEqual([{ by: 'b', what: 'lumo-authority-tls' }])
    const counts = [a, b].map(({ gauge }) => gauge('lumo_webhook_pods_before_ca'))
    expect(await Promise.all(counts)).toEqual([-1, 0])
  })
})

describe('a CA that begins in the future', () => {
  test('is replaced at once: nobody could verify anything with it', async () => {
    const release = makeRelease()
    const clock = shiftedClock(release.clock, 30 * DAY_MS)
    const signing = await makeCa({ clock, random: systemRandom })
    release.cluster.put('lumo-ca', writeAuthority({ signing }))
    const { kept, log } = await release.begin('a')
    expect(log.text()).toContain('the CA began in the future')
    expect(
      await handshake(
        release.cluster.data('lumo-authority-tls'),
        kept.caBundle() ?? '',
        'lumo-authority',
      ),
    ).toBe('trusted')
  })

  test('is made anew where it was only to follow; the one that signs stays', async () => {
    const release = makeRelease()
    const replica = await release.begin('a')
    await release.pass(8 * 365 * DAY_MS + DAY_MS, 4 * 365 * DAY_MS)
    const authority = readAuthority(release.cluster.data('lumo-ca'))
    if (typeof authority === 'string') throw new Error(authority)
    const clock = shiftedClock(release.clock, 30 * DAY_MS)
    const next = await makeCa({ clock, random: systemRandom })
    release.cluster.put('lumo-ca', writeAuthority({ ...authority, next }))
    await release.pass(20_000)
    const after = readAuthority(release.cluster.data('lumo-ca'))
    if (typeof after === 'string') throw new Error(after)
    expect(after.signing.certPem).toBe(authority.signing.certPem)
    expect(after.next?.certPem).not.toBe(next.certPem)
    expect(after.next?.certificate.validFromDate.getTime()).toBeLessThan(release.clock.wall())
    expect(replica.log.text()).toContain('it is made anew')
  })
})

type Algorithm = (
  webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | webcrypto.Algorithm
) & {
  readonly hash: string
}

const RSA: Algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
}
const P384: Algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
const ED25519: Algorithm = { name: 'Ed25519', hash: '' }

/** A good CA but for the kind of its key. */
async function caOf(algorithm: Algorithm): Promise<Readonly<Record<string, string>>> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new Error('no pair')
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=of another kind',
      keys,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3_650 * DAY_MS),
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  )
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    'tls.crt': ca.toString('pem'),
    'tls.key': x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  }
}

test.each([
  { kind: 'that is a leaf', make: async () => (await another()).cluster.data(OWN) },
  { kind: 'of another curve', make: () => caOf(P384) },
  { kind: 'of RSA', make: () => caOf(RSA) },
  { kind: 'of Ed25519', make: () => caOf(ED25519) },
])('a CA $kind is told of in a sentence, and nothing is written', async ({ make }) => {
  const release = makeRelease()
  const { 'tls.crt': cert = '', 'tls.key': key = '' } = await make()
  release.cluster.put('lumo-ca', { 'tls.crt': cert, 'tls.key': key })
  const { log } = await release.begin('a')
  expect(release.cluster.writes).toEqual([])
  expect(log.lines.at(-1)?.fields['reason']).toContain(
    'the Secret lumo-ca holds no CA that can be used',
  )
})

test('a stranger who keeps the Lease and writes nothing is named after five minutes, once', async () => {
  const release = makeRelease()
  const stranger = 'nobody \u001b[31m of ours'
  const hold = (): void => {
    release.cluster.lease.version += 1
    release.cluster.lease.content = { holder: stranger }
  }
  hold()
  const { log } = await release.begin('a')
  const told = () => log.lines.filter(({ message }) => message === NOT_KEPT)
  for (let passed = 0; passed < 290; passed += 10) {
    hold()
    await release.pass(10_000)
  }
  expect(told()).toEqual([])
  for (let passed = 0; passed < 60; passed += 10) {
    hold()
    await release.pass(10_000)
  }
  expect(told().map(({ fields }) => fields['reason'])).toEqual([
    'certificates are due, and nobody ?[31m of ours, who holds the Lease lumo-webhook, does not write them: ' +
      'if that is no pod of this webhook, clear holderIdentity, and see who may write Leases here',
  ])
})
