import { X509Certificate } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { handshake, names, Release } from './release.ts'

function makeRelease(): Release {
  const release = new Release()
  onTestFinished(() => release.stop())
  return release
}

const OWN_NAME = 'lumo-webhook.lumo-system.svc'

describe('two replicas', () => {
  test('that start at once: one writes, both serve with the same', async () => {
    const release = makeRelease()
    const [a, b] = [release.start('a'), release.start('b')]
    await release.look()
    await release.pass(10_000)
    await Promise.all([a.kept.ready, b.kept.ready])
    expect(new Set(release.cluster.writes.map(({ by }) => by)).size).toBe(1)
    expect(release.cluster.writes).toHaveLength(4)
    expect(a.kept.tls()).toEqual(b.kept.tls())
    expect(a.kept.caBundle()).toBe(b.kept.caBundle())
  })

  test('whose writer dies: the other writes once the Lease has stood for 15 s, and not before', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    await release.pass(10_000)
    await b.kept.look()
    a.objects.cutOff = true
    release.cluster.put('lumo-authority-tls', {})
    const { writes } = release.cluster
    writes.length = 0
    await release.pass(10_000)
    expect(writes).toEqual([])
    await release.pass(10_000)
    expect(writes).toEqual([{ by: 'b', what: 'lumo-authority-tls' }])
    expect(b.log.lines.at(-1)?.message).toBe('a certificate was written')
  })

  test('whose writer is cut off and comes back: it finds the other writing, and only reads', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    const counted = () =>
      Promise.all([a, b].map(({ gauge }) => gauge('lumo_webhook_pods_before_ca')))
    expect(await counted()).toEqual([0, -1])
    a.objects.cutOff = true
    await release.pass(40_000)
    a.objects.cutOff = false
    await release.pass(20_000)
    expect(await counted()).toEqual([-1, 0])
    release.cluster.writes.length = 0
    release.cluster.put('lumo-webhook-tls', {})
    await release.pass(20_000)
    expect(release.cluster.writes).toEqual([{ by: 'b', what: 'lumo-webhook-tls' }])
    expect(a.kept.tls()?.cert).toBe(release.cluster.data('lumo-webhook-tls')['tls.crt'])
  })

  test('whose writer ends: it gives the Lease back, and the other need not wait', async () => {
    const release = makeRelease()
    const [a, b] = [await release.begin('a'), await release.begin('b')]
    expect(release.cluster.lease.content.holder).toBe('a')
    await a.kept.stop()
    expect(release.cluster.lease.content.holder).toBeUndefined()
    release.cluster.put('lumo-authority-tls', {})
    release.clock.advance(10_000)
    await b.kept.look()
    expect(release.cluster.writes.at(-1)).toEqual({ by: 'b', what: 'lumo-authority-tls' })
  })

  test('whose writer loses the Lease between two of its writes: it stops at once', async () => {
    const release = makeRelease()
    release.cluster.beforeWrite = (name) => {
      if (name !== 'lumo-authority-tls') return
      // The write takes long, and meanwhile another has taken over.
      release.clock.advance(16_000)
      release.cluster.lease.version += 1
      release.cluster.lease.content = { holder: 'b' }
    }
    const a = await release.begin('a')
    expect(release.cluster.writes.map(({ what }) => what)).toEqual([
      'lumo-ca',
      'lumo-authority-tls',
    ])
    expect(a.kept.tls()).toBeUndefined()
  })

  test('that are slow: the Lease is renewed between two writes, and the work gets done', async () => {
    const release = makeRelease()
    release.cluster.beforeWrite = () => {
      release.clock.advance(12_000)
    }
    const a = await release.begin('a')
    expect(release.cluster.writes).toHaveLength(4)
    expect(a.kept.tls()).toBeDefined()
  })
})

describe('a write that met another', () => {
  test('of the first CA: the other CA stays, and everything is issued by it', async () => {
    const release = makeRelease()
    const other = new Release()
    await other.begin('x')
    const theirs = other.cluster.data('lumo-ca')
    await other.stop()
    let met = 0
    release.cluster.beforeWrite = (name) => {
      if (name === 'lumo-ca' && met === 0) {
        met += 1
        release.cluster.put('lumo-ca', theirs)
      }
    }
    const { kept } = await release.begin('a')
    expect(met).toBe(1)
    expect(release.cluster.data('lumo-ca')).toEqual(theirs)
    expect(kept.caBundle()).toBe(theirs['ca.crt'])
    const own = release.cluster.data('lumo-webhook-tls')
    expect(await handshake(own, theirs['ca.crt'] ?? '', OWN_NAME)).toBe('trusted')
  })

  test('of a leaf: what came first is read again, mended, and nothing of it is lost', async () => {
    const release = makeRelease()
    let met = 0
    release.cluster.beforeWrite = (name) => {
      if (name === 'lumo-webhook-tls' && met < 2) {
        met += 1
        release.cluster.put(name, { 'ca.crt': 'another' })
      }
    }
    const { kept } = await release.begin('a')
    expect(met).toBe(2)
    const ca = new X509Certificate(kept.caBundle() ?? '')
    expect(names.map((name) => release.leaf(name).verify(ca.publicKey))).toEqual([true, true])
    expect(release.cluster.writes.filter(({ what }) => what === 'lumo-authority-tls')).toHaveLength(
      1,
    )
  })

  test('again and again: it gives up until later, and goes on then', async () => {
    const release = makeRelease()
    let met = 0
    release.cluster.beforeWrite = (name) => {
      met += 1
      release.cluster.put(name, {})
    }
    const { kept } = await release.begin('a')
    expect(met).toBeLessThan(10)
    expect(kept.tls()).toBeUndefined()
    release.cluster.beforeWrite = () => {}
    await release.pass(10_000)
    expect(kept.tls()).toBeDefined()
  })
})

describe('an API server that is down', () => {
  test('at the start: it is asked less and less, told once, and everything is made when it is back', async () => {
    const release = makeRelease()
    release.cluster.down = true
    const { kept, log } = await release.begin('a')
    const first = release.cluster.asked
    await release.pass(600_000)
    // The tests' own looking asks too; what it does by itself is what the clock says.
    expect(release.clock.untilNext).toBeLessThanOrEqual(10_000)
    expect(release.clock.untilNext).toBeGreaterThanOrEqual(1)
    expect(release.cluster.asked).toBeGreaterThan(first)
    expect(log.lines.map(({ message }) => message)).toEqual(['certificates cannot be kept'])
    expect(kept.tls()).toBeUndefined()
    release.cluster.down = false
    await release.pass(10_000)
    await kept.ready
    expect(release.cluster.writes).toHaveLength(4)
    expect(log.lines.at(-1)?.message).toBe('certificates are kept again')
  })

  test('while it runs: it serves on, and after five minutes does not say any more what pods are to trust', async () => {
    const release = makeRelease()
    const { kept } = await release.begin('a')
    const [pair, bundle] = [kept.tls(), kept.caBundle()]
    release.cluster.down = true
    await release.pass(290_000)
    expect([kept.tls(), kept.caBundle()]).toEqual([pair, bundle])
    await release.pass(10_000)
    expect([kept.tls(), kept.caBundle()]).toEqual([pair, undefined])
    release.cluster.down = false
    await release.pass(10_000)
    expect([kept.tls(), kept.caBundle()]).toEqual([pair, bundle])
  })

  test.each([
    ['is broken', { 'tls.crt': 'x', 'tls.key': 'y', 'ca.crt': 'z' }],
    ['was emptied', {}],
    ['has no bundle', undefined],
  ])('or a Secret of its own that %s, where nobody mends it', async (_name, data) => {
    const release = makeRelease()
    const { kept } = await release.begin('a')
    release.cluster.put('lumo-ca', { 'tls.crt': 'x', 'tls.key': 'y' })
    const { 'ca.crt': _bundle, ...rest } = release.cluster.data('lumo-webhook-tls')
    release.cluster.put('lumo-webhook-tls', data ?? rest)
    await release.pass(290_000)
    expect(kept.caBundle()).toBeDefined()
    await release.pass(10_000)
    expect(kept.caBundle()).toBeUndefined()
  })

  test('that gives no answer keeps no replica that is asked to end', async () => {
    const release = new Release()
    const { kept, objects } = await release.begin('a')
    objects.silent = true
    release.clock.advance(10_000)
    const stopping = kept.stop().then(() => 'ended')
    const rest = Promise.resolve().then(() => 'waiting')
    expect(await Promise.race([stopping, rest])).toBe('waiting')
    release.clock.advance(2_000)
    expect(await stopping).toBe('ended')
  })

  test('leaves the tries ever further apart, up to 10 s', async () => {
    const release = makeRelease()
    release.cluster.down = true
    await release.begin('a')
    const waits: number[] = []
    for (let tries = 0; tries < 8; tries += 1) {
      waits.push(release.clock.untilNext)
      release.clock.advance(release.clock.untilNext)
      await release.look()
    }
    const most = [1, 2, 4, 8, 10, 10, 10, 10].map((seconds) => seconds * 1000)
    expect(waits.filter((wait, at) => wait > (most[at] ?? 0))).toEqual([])
    expect(waits.filter((wait, at) => wait < (most[at] ?? 0) / 2)).toEqual([])
  })

  test('an object that the chart should have rendered is named', async () => {
    const release = makeRelease()
    release.cluster.secrets.delete('lumo-authority-tls')
    const { log } = await release.begin('a')
    expect(log.lines.at(-1)).toMatchObject({
      level: 'warn',
      fields: { reason: 'the Secret lumo-authority-tls is not there' },
    })
  })
})
