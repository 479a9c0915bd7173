import { describe, expect, onTestFinished, test } from 'vitest'
import { GetToken } from '../../src/broker/get_token.ts'
import { LocalGate } from '../../src/broker/local_gate.ts'
import { Workload } from '../../src/broker/caller/workload.ts'
import { Identifiers } from '../../src/broker/delegation/identifiers.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { proofFile } from '../../src/broker/proof.ts'
import { remoteExchanger } from '../../src/exchange/remote.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { plainWish } from '../../src/broker/wish.ts'
import { ampleLimits, proofClaims, proofOf, proofPath, settled } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeFiles } from '../fakes/files.ts'
import { FakeLog } from '../fakes/log.ts'
import { serve, type Page } from '../fakes/loopback.ts'

const TOKEN = '/t/acme-corp/api/v1/oauth/token'

/** A sidecar that was given this token file, its authority, and a host that would like to have the token. */
async function sidecarWith(audience: string, answer: (elsewhere: string) => Page) {
  const elsewhere = await serve({ '/': {}, [TOKEN]: {} })
  const authority = await serve({ [TOKEN]: answer(elsewhere.origin) })
  onTestFinished(authority.close)
  onTestFinished(elsewhere.close)
  const clock = new FakeClock()
  const token = proofOf({
    ...proofClaims(clock.now),
    aud: [audience],
    iss: elsewhere.origin,
  })
  const around = {
    clock,
    random: systemRandom,
    files: new FakeFiles({ [proofPath]: token }),
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  }
  const asked: string[] = []
  let underWay = 0
  /** An authority that is out is asked again: time passes while it is not being asked. */
  const inTime = async (work: Promise<unknown>): Promise<void> => {
    const over = new AbortController()
    void work.finally(() => {
      over.abort()
    })
    while (!over.signal.aborted) {
      await settled()
      if (underWay === 0) clock.advance(1_000)
    }
  }
  const http = nodeHttpClient(systemClock, {})
  const exchanger = remoteExchanger(
    {
      tokenUrl: new URL(TOKEN, authority.origin),
      ca: () => undefined,
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
    },
    (request) => {
      asked.push(request.url.origin)
      underWay += 1
      return http(request).finally(() => {
        underWay -= 1
      })
    },
  )
  const gate = new LocalGate({
    policy: () => undefined,
    limits: ampleLimits,
    ...around,
  })
  const getToken = new GetToken({ gate, exchanger, maxFlights: 10, ...around })
  const workload = new Workload(
    proofFile(proofPath, audience, around),
    {
      tenant: 'acme-corp',
      maxEntries: 10,
      rateLimit: { perSecond: 1, burst: 1 },
      delegation: { maxSessions: 1, sessionIdleMs: 1_000 },
    },
    { ...around, identifiers: new Identifiers(around.random) },
  )
  return { ...around, inTime, token, getToken, workload, authority, elsewhere, asked }
}

const issued = JSON.stringify({ access_token: 'abc', token_type: 'Bearer', expires_in: 600 })

/** Tokens that whoever holds them can be the pod with at AWS, for up to a day. */
describe.each(['sts.amazonaws.com', 'pods.eks.amazonaws.com'])('a token for %s', (audience) => {
  const answers: readonly [string, (elsewhere: string) => Page][] = [
    ['issues', () => ({ body: issued })],
    ['refuses', () => ({ status: 401, body: '{"error":"invalid_client"}' })],
    ['is out', () => ({ status: 503 })],
    ['redirects, method kept', (to) => ({ status: 307, headers: { location: `${to}/` } })],
    ['redirects for good', (to) => ({ status: 308, headers: { location: `${to}${TOKEN}` } })],
    ['has moved', (to) => ({ status: 302, headers: { location: `${to}/` } })],
  ]
  test.each(answers)('goes to the authority only, which %s', async (_name, answer) => {
    const { getToken, inTime, workload, authority, elsewhere, asked, token, log, metrics } =
      await sidecarWith(audience, answer)
    await inTime(getToken.byExchange(workload, plainWish))
    expect(new Set(asked)).toEqual(new Set([authority.origin]))
    expect(authority.seen.length).toBe(asked.length)
    expect(elsewhere.seen.length).toBe(0)
    const told = `${log.text()}${await metrics.text()}`
    expect(token.split('.').filter((part) => told.includes(part))).toEqual([])
  })
})
