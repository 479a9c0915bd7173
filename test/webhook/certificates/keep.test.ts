import { X509Certificate } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bundleIds } from '../../../src/webhook/certificates/read_pair.ts'
import { DAY_MS, handshake, names, Release } from './release.ts'

function makeRelease(): Release {
  const release = new Release()
  onTestFinished(() => release.stop())
  return release
}

describe('a release from nothing', () => {
  test('has certificates that TLS clients accept under each name, and no other', async () => {
    const release = makeRelease()
    const { kept } = await release.begin('a')
    await kept.ready
    const authority = release.cluster.data('lumo-authority-tls')
    const bundle = kept.caBundle() ?? ''
    expect({
      name: await handshake(authority, bundle, 'lumo-authority.lumo-system.svc'),
      second: await handshake(authority, bundle, 'lumo-authority'),
      other: await handshake(authority, bundle, 'lumo-webhook.lumo-system.svc'),
      own: await handshake(
        { 'tls.crt': kept.tls()?.cert ?? '', 'tls.key': kept.tls()?.key ?? '' },
        bundle,
        'lumo-webhook.lumo-system.svc',
      ),
    }).toEqual({
      name: 'trusted',
      second: 'trusted',
      other: 'ERR_TLS_CERT_ALTNAME_INVALID',
      own: 'trusted',
    })
    expect(release.bundle()).toBe(bundle)
    expect(release.cluster.caBundles.get('lumo-webhook')).toBe(bundle)
  })

  test('has a CA of ten years that may sign leaves only, and leaves of 90 days', async () => {
    const release = makeRelease()
    await release.begin('a')
    const ca = new X509Certificate(release.bundle())
    const leaf = release.leaf('lumo-authority-tls')
    const days = (until: X509Certificate): number =>
      Math.round((until.validToDate.getTime() - release.clock.wall()) / DAY_MS)
    expect({
      ca: ca.ca,
      caDays: days(ca),
      curve: ca.publicKey.asymmetricKeyDetails?.namedCurve,
      self: ca.verify(ca.publicKey),
      leafCa: leaf.ca,
      leafDays: days(leaf),
      issued: leaf.verify(ca.publicKey),
      names: leaf.subjectAltName,
      usage: leaf.keyUsage,
    }).toEqual({
      ca: true,
      caDays: 3650,
      curve: 'prime256v1',
      self: true,
      leafCa: false,
      leafDays: 90,
      issued: true,
      names: 'DNS:lumo-authority.lumo-system.svc, DNS:lumo-authority',
      usage: ['1.3.6.1.5.5.7.3.1'],
    })
  })

  test('names each CA by the first 16 hex digits of its SHA-256', async () => {
    const release = makeRelease()
    await release.begin('a')
    const { fingerprint256 } = new X509Certificate(release.bundle())
    expect(bundleIds(release.bundle())).toBe(
      fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16),
    )
  })

  test('writes once, and then nothing while nothing is due', async () => {
    const release = makeRelease()
    await release.begin('a')
    await release.pass(3_600_000, 300_000)
    expect(release.cluster.writes.map(({ what }) => what)).toEqual([
      'lumo-ca',
      ...names,
      'lumo-webhook',
    ])
  })

  test('keeps the key of its CA out of every log and every other Secret', async () => {
    const release = makeRelease()
    const { log } = await release.begin('a')
    const lines = (release.cluster.data('lumo-ca')['tls.key'] ?? '').split('\n')
    const secret = lines[1] ?? ''
    expect(secret).toHaveLength(64)
    const seen = [log.text(), ...names.map((name) => JSON.stringify(release.cluster.data(name)))]
    expect(seen.filter((text) => text.includes(secret))).toEqual([])
  })
})

describe('what somebody else did to a Secret', () => {
  test.each([
    { did: 'emptied it', data: {}, reason: 'missing' },
    { did: 'broke it', data: { 'tls.crt': 'x', 'tls.key': 'y' }, reason: 'unusable' },
    { did: 'took its key away', data: { 'tls.key': '' }, reason: 'unusable' },
    { did: 'changed the bundle', data: { 'ca.crt': 'x' }, reason: 'bundle' },
  ])('who $did: it is mended', async ({ data, did, reason }) => {
    const release = makeRelease()
    const { log } = await release.begin('a')
    const before = release.cluster.data('lumo-authority-tls')
    release.cluster.put('lumo-authority-tls', did === 'emptied it' ? {} : { ...before, ...data })
    await release.pass(10_000)
    expect(
      await handshake(
        release.cluster.data('lumo-authority-tls'),
        release.bundle(),
        'lumo-authority',
      ),
    ).toBe('trusted')
    expect(log.lines.at(-1)?.fields['reason']).toBe(reason)
  })

  test('a broken CA is not replaced: everything stays as it is, and the operator is told once', async () => {
    const release = makeRelease()
    const { kept, log } = await release.begin('a')
    const broken = { ...release.cluster.data('lumo-ca'), 'tls.key': 'x' }
    release.cluster.put('lumo-ca', broken)
    release.cluster.put('lumo-webhook-tls', { 'tls.crt': 'x', 'tls.key': 'y' })
    const { cert } = kept.tls() ?? {}
    await release.pass(60_000)
    expect(release.cluster.data('lumo-ca')).toEqual(broken)
    expect(kept.tls()?.cert).toBe(cert)
    const told = log.lines.filter(({ message }) => message === 'certificates cannot be kept')
    expect(told).toHaveLength(1)
    expect(told[0]?.fields['reason']).toContain('the Secret lumo-ca holds no CA that can be used')
  })
})

describe('leaves', () => {
  test('are renewed at two thirds of their life, while running, and the webhook takes its own up', async () => {
    const release = makeRelease()
    const replica = await release.begin('a')
    const { kept } = replica
    const [first, bundle] = [kept.tls()?.cert, kept.caBundle()]
    const taken: string[] = []
    kept.onTls(({ cert }) => taken.push(cert))
    await release.pass(59 * DAY_MS, 59 * DAY_MS)
    expect(kept.tls()?.cert).toBe(first)
    expect(await replica.gauge('lumo_webhook_certificate_remaining_seconds')).toBe(31 * 86_400)
    await release.pass(2 * DAY_MS, DAY_MS)
    expect(kept.tls()?.cert).not.toBe(first)
    expect(taken).toEqual([kept.tls()?.cert])
    expect(kept.caBundle()).toBe(bundle)
    const ca = new X509Certificate(bundle ?? '')
    expect(new X509Certificate(taken[0] ?? '').verify(ca.publicKey)).toBe(true)
  })

  test('are made anew when their names change, others not', async () => {
    const release = makeRelease()
    await release.begin('a')
    await release.stop()
    const own = release.leaf('lumo-webhook-tls').serialNumber
    await release.begin('b', {
      leaves: [
        { secret: 'lumo-authority-tls', dnsNames: ['authority.example.com'], own: false },
        { secret: 'lumo-webhook-tls', dnsNames: ['lumo-webhook.lumo-system.svc'], own: true },
      ],
    })
    expect(release.leaf('lumo-authority-tls').subjectAltName).toBe('DNS:authority.example.com')
    expect(release.leaf('lumo-webhook-tls').serialNumber).toBe(own)
  })
})
