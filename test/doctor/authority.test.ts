import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { serve, type Page } from '../fakes/loopback.ts'
import { open, speaking } from '../fakes/peer.ts'
import { runAuthority } from '../fakes/running_authority.ts'
import { asking, AUDIENCE, DISCOVERY, document, linesFor, remoteAt, testWorld } from './world.ts'

describe('the authority', () => {
  /** Its line, where it answers so for discovery. */
  async function lineFor(page: Page | undefined, path = DISCOVERY, asked = asking) {
    const server = await serve(page ? { [path]: page } : {})
    onTestFinished(server.close)
    const lines = await linesFor(remoteAt(server.origin), undefined, asked)
    expect(lines[2]).toBe('skipped tls: plain HTTP, which stays on this machine')
    return lines[3]
  }
  const notThere = 'is broker.authority.url that of the authority, and its pathStyle right?'

  const answers: readonly (readonly [name: string, page: Page | undefined, line: string])[] = [
    ['names its issuer', { body: document }, `ok authority: issuer ${AUDIENCE}`],
    [
      'has another issuer',
      { body: JSON.stringify({ issuer: 'https://a.example\n' }) },
      `ok authority: issuer https://a.example?; proofs are made for ${AUDIENCE}, which it has to know`,
    ],
    [
      'is some other server',
      undefined,
      `failed authority: it answers 404 for ${DISCOVERY}; ${notThere}`,
    ],
    [
      'does not let it be read',
      { status: 403 },
      `failed authority: it answers 403 for ${DISCOVERY}; ${notThere}`,
    ],
    [
      'has no such tenant',
      { status: 404, body: '{"error":"invalid_tenant"}' },
      'failed authority: it has no tenant acme-corp; mend broker.authority.tenant, or LUMOAUTH_TENANT',
    ],
    [
      'is out',
      { status: 503 },
      `failed authority: it answers 503 for ${DISCOVERY}; its log has the reason; the broker goes on asking`,
    ],
    [
      'has too much to do',
      { status: 429 },
      `failed authority: it answers 429 for ${DISCOVERY}; its log has the reason; the broker goes on asking`,
    ],
    [
      'is elsewhere by now',
      { status: 308, headers: { location: '/x' } },
      `failed authority: it answers 308 for ${DISCOVERY}; redirects are not followed: name the origin that it leads to`,
    ],
    [
      'answers a page',
      { body: '<html>' },
      `failed authority: what it answers for ${DISCOVERY} names no issuer; ${notThere}`,
    ],
    [
      'answers something else',
      { body: '{"issuer":""}' },
      `failed authority: what it answers for ${DISCOVERY} names no issuer; ${notThere}`,
    ],
  ]
  test.each(answers)('%s', async (_, page, line) => {
    expect(await lineFor(page)).toBe(line)
  })

  test('whose proofs have an audience of the cluster', async () => {
    const asked = { ...asking, proofAudience: `${AUDIENCE}#prod` }
    expect(await lineFor({ body: document }, DISCOVERY, asked)).toBe(
      `ok authority: issuer ${AUDIENCE}`,
    )
  })

  test('that speaks no HTTP', async () => {
    const host = await speaking((socket) => socket.end('SSH-2.0-x\r\n'))
    expect((await linesFor(remoteAt(`http://${host}`)))[3]).toMatch(
      new RegExp(`^failed authority: ${host} gives no usable answer \\(HPE_\\w+\\); `),
    )
  })

  test('that does not listen', async () => {
    const server = createServer()
    const host = await open(server)
    await new Promise((resolve) => {
      server.close(resolve)
    })
    const [clock, , , authority] = await linesFor(remoteAt(`http://${host}`))
    expect([clock, authority]).toEqual([
      'skipped clock: the authority gave no answer',
      `failed authority: there is no connection to ${host} (ECONNREFUSED); does the authority run, is broker.authority.url right, and does a NetworkPolicy let this pod reach it?`,
    ])
  })

  test('that does not answer', async () => {
    const host = await speaking(() => {})
    const bounds = { totalTimeoutMs: 50 }
    expect((await linesFor(remoteAt(`http://${host}`, bounds)))[3]).toBe(
      `failed authority: ${host} gives no usable answer (timeout); ${notThere}`,
    )
  })

  test('of this program, by either prefix', async () => {
    const authority = await runAuthority()
    onTestFinished(() => authority.stop())
    const origin = `http://127.0.0.1:${String(authority.port)}`
    const at = (path: string, asked = asking) =>
      linesFor(remoteAt(origin, { tokenUrl: new URL(path, origin) }), undefined, asked)
    const good = `ok authority: issuer ${AUDIENCE}`
    expect((await at('/t/acme-corp/api/v1/oauth/token'))[3]).toBe(good)
    expect((await at('/orgs/acme-corp/api/v1/oauth/token'))[3]).toBe(good)
    const none = await at('/t/none/api/v1/oauth/token', { ...asking, tenant: 'none' })
    expect(none[3]).toBe(
      'failed authority: it has no tenant none; mend broker.authority.tenant, or LUMOAUTH_TENANT',
    )
  })
})

describe('the clock', () => {
  /** Its line, where the authority's is at this moment and this machine's so many seconds ahead. */
  async function lineFor(date: string | undefined, aheadSeconds: number) {
    const now = Date.UTC(2026, 10, 21, 12, 0, 0)
    const headers = date === undefined ? {} : { date }
    const server = await serve({ [DISCOVERY]: { headers, body: document } })
    onTestFinished(server.close)
    const world = testWorld({ clock: new FakeClock(now + aheadSeconds * 1_000) })
    return (await linesFor(remoteAt(server.origin), world))[0]
  }
  const date = 'Sat, 21 Nov 2026 12:00:00 GMT'
  const advice =
    'set the clock of whichever is wrong: is time synchronization running on this node?'

  test.each([
    [date, 0, 'ok clock: within 60 s of the authority'],
    [date, 60, 'ok clock: within 60 s of the authority'],
    [date, -60, 'ok clock: within 60 s of the authority'],
    [date, 61, `failed clock: this machine is 1 min 1 s ahead of the authority; ${advice}`],
    [date, -7_325, `failed clock: this machine is 2 h 2 min behind the authority; ${advice}`],
    ['tomorrow', 0, 'skipped clock: the answer of the authority has no date'],
  ])('where it says %j and this machine is %d s ahead', async (text, ahead, line) => {
    expect(await lineFor(text, ahead)).toBe(line)
  })
})
