import { X509Certificate } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bundleIds, readBundle } from '../../../src/webhook/certificates/read_pair.ts'
import { DAY_MS, handshake, Release, type Replica } from './release.ts'

const YEAR_MS = 365 * DAY_MS
const HOUR_MS = 3_600_000
const PODS_BEFORE = 'lumo_webhook_pods_before_ca'

/** A release whose CA has a little more than two years left. */
async function agedRelease(): Promise<{ release: Release; replica: Replica; old: string }> {
  const release = new Release()
  onTestFinished(() => release.stop())
  const replica = await release.begin('a')
  const old = replica.kept.caBundle() ?? ''
  await release.pass(8 * YEAR_MS - DAY_MS, 4 * YEAR_MS)
  return { release, replica, old }
}

const sizeOf = (pem: string): number => readBundle(pem)?.length ?? 0

/** Whether the leaf of the authority is accepted by who trusts `bundle`; both ends of the chain, without the time. */
function trusts(bundle: string, release: Release): boolean {
  const leaf = release.leaf('lumo-authority-tls')
  return (readBundle(bundle) ?? []).some(
    (ca) => ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey),
  )
}

describe('a CA that comes to its last two years', () => {
  test('is followed by another without a moment in which a pod trusts nothing that is served', async () => {
    const { release, replica, old } = await agedRelease()
    expect(sizeOf(release.bundle())).toBe(1)
    release.cluster.pods = [bundleIds(old), bundleIds(old)]
    const injected = new Set([old])
    const serial = () => release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))
    const everybodyTrusts = () => [...injected].every((bundle) => trusts(bundle, release))

    // Both are trusted, the old one signs, and that for as long as pods are left that know only it.
    await release.pass(2 * DAY_MS, DAY_MS)
    const both = replica.kept.caBundle() ?? ''
    expect(sizeOf(both)).toBe(2)
    injected.add(both)
    await release.pass(100 * DAY_MS, 10 * DAY_MS)
    expect([release.bundle(), release.cluster.caBundles.get('lumo-webhook')]).toEqual([both, both])
    expect([serial(), everybodyTrusts()]).toEqual([true, true])
    expect(await replica.gauge(PODS_BEFORE)).toBe(2)

    // One of them is replaced: still not.
    release.cluster.pods = [bundleIds(old), bundleIds(both)]
    await release.pass(HOUR_MS, 300_000)
    expect([serial(), await replica.gauge(PODS_BEFORE)]).toEqual([true, 1])

    // No pod is left that knows only the old one.
    release.cluster.pods = [bundleIds(both), bundleIds(both)]
    injected.delete(old)
    await release.pass(120_000)
    expect([serial(), everybodyTrusts()]).toEqual([false, true])
    expect(sizeOf(release.bundle())).toBe(2)
    expect(release.cluster.data('lumo-ca')['next.key']).toBeUndefined()
    expect(release.cluster.data('lumo-ca')['old.crt']).toBe(old)

    // When every leaf has been new for a while the old one is forgotten.
    await release.pass(300_000)
    expect(sizeOf(release.bundle())).toBe(2)
    await release.pass(360_000)
    const last = replica.kept.caBundle() ?? ''
    expect(sizeOf(last)).toBe(1)
    injected.add(last)
    expect(last).not.toBe(old)
    expect(everybodyTrusts()).toBe(true)
    expect(Object.keys(release.cluster.data('lumo-ca')).sort()).toEqual([
      'ca.crt',
      'tls.crt',
      'tls.key',
    ])
    expect(release.cluster.caBundles.get('lumo-webhook')).toBe(last)
  })

  test('is not followed before everything has carried both for ten minutes, though no pod is there', async () => {
    const { release, old } = await agedRelease()
    const signs = () => release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))
    await release.pass(DAY_MS + 10_000, DAY_MS + 10_000)
    expect([sizeOf(release.bundle()), signs()]).toEqual([2, true])
    await release.pass(590_000)
    expect(signs()).toBe(true)
    await release.pass(20_000)
    expect(signs()).toBe(false)
  })

  test('is not followed while somebody takes the caBundle back again and again', async () => {
    const { release, old } = await agedRelease()
    await release.pass(DAY_MS + 10_000, DAY_MS + 10_000)
    for (let times = 0; times < 3; times += 1) {
      release.cluster.caBundles.set('lumo-webhook', old)
      await release.pass(540_000, 180_000)
    }
    const signs = () => release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))
    expect(signs()).toBe(true)
    await release.pass(300_000)
    expect(signs()).toBe(false)
  })

  test('is not followed while the pods cannot be counted', async () => {
    const { release, replica, old } = await agedRelease()
    await release.pass(DAY_MS + 10_000, DAY_MS + 10_000)
    release.cluster.countable = false
    await release.pass(HOUR_MS, 300_000)
    expect(release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))).toBe(true)
    expect(replica.log.lines.at(-1)?.fields['reason']).toBe('no list of pods')
  })

  test('is followed in its last week whatever pods trust, for then it ends for all', async () => {
    const { release, replica, old } = await agedRelease()
    release.cluster.pods = [bundleIds(old)]
    const signs = () => release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))
    await release.pass(2 * YEAR_MS - 7 * DAY_MS, 10 * DAY_MS)
    expect(signs()).toBe(true)
    const end = new X509Certificate(old).validToDate
    expect(release.leaf('lumo-authority-tls').validToDate <= end).toBe(true)
    await release.pass(2 * DAY_MS, DAY_MS)
    expect(signs()).toBe(false)
    expect(replica.log.text()).toContain('whatever pods trust')
  })

  test('and ended while nothing ran: there is another at once', async () => {
    const { release, replica, old } = await agedRelease()
    await release.pass(5 * YEAR_MS, 5 * YEAR_MS)
    const bundle = replica.kept.caBundle() ?? ''
    expect(release.leaf('lumo-authority-tls').checkIssued(new X509Certificate(old))).toBe(false)
    expect(trusts(bundle, release)).toBe(true)
  })

  test('another replica that takes over in the middle goes on where it stood', async () => {
    const { release, replica, old } = await agedRelease()
    release.cluster.pods = [bundleIds(old)]
    await release.pass(DAY_MS + 10_000, DAY_MS + 10_000)
    const both = release.bundle()
    await replica.kept.stop()
    const second = await release.begin('b')
    await release.pass(HOUR_MS, 300_000)
    expect(release.bundle()).toBe(both)
    release.cluster.pods = [bundleIds(both)]
    await release.pass(HOUR_MS, 300_000)
    expect(sizeOf(second.kept.caBundle() ?? '')).toBe(1)
    expect(second.kept.caBundle()).not.toBe(old)
  })
})

test('TLS clients that trust the bundle of both accept what either signed', async () => {
  const [one, two] = [new Release(), new Release()]
  await one.begin('a')
  await two.begin('a')
  const both = one.bundle() + two.bundle()
  const outcomes = [one, two].map((release) =>
    handshake(release.cluster.data('lumo-authority-tls'), both, 'lumo-authority'),
  )
  expect(await Promise.all(outcomes)).toEqual(['trusted', 'trusted'])
  const wrong = handshake(one.cluster.data('lumo-authority-tls'), two.bundle(), 'lumo-authority')
  expect(await wrong).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  await Promise.all([one.stop(), two.stop()])
})
