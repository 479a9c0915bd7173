import { describe, expect, test } from 'vitest'
import { operationsListener } from '../../src/ops/listener.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'

function start({ ready = true, started = true } = {}) {
  const metrics = new PrometheusMetrics()
  const state = { ready, started }
  const app = operationsListener(
    metrics,
    { ready: () => state.ready, started: () => state.started },
    () => Promise.resolve('{}'),
  )
  return { app, metrics, state }
}

const good = { statusCode: 200, body: 'ok\n' }
const notYet = { statusCode: 503, body: 'not yet\n' }

describe('probes', () => {
  test.each([
    { url: '/healthz', ready: true, started: true, expected: good },
    { url: '/healthz', ready: false, started: false, expected: good },
    { url: '/readyz', ready: true, started: true, expected: good },
    { url: '/readyz', ready: true, started: false, expected: good },
    { url: '/readyz', ready: false, started: true, expected: notYet },
    { url: '/startupz', ready: true, started: true, expected: good },
    { url: '/startupz', ready: false, started: true, expected: good },
    { url: '/startupz', ready: true, started: false, expected: notYet },
    { url: '/healthz?verbose', ready: true, started: true, expected: good },
  ])('$url, ready $ready, started $started', async ({ url, ready, started, expected }) => {
    const { statusCode, body } = await start({ ready, started }).app.inject(url)
    expect({ statusCode, body }).toEqual(expected)
  })

  test('follow the state as it is now', async () => {
    const { app, state } = start({ started: false })
    expect((await app.inject('/startupz')).statusCode).toBe(503)
    state.started = true
    expect((await app.inject('/startupz')).statusCode).toBe(200)
  })
})

describe('methods', () => {
  const paths = ['/metrics', '/healthz', '/readyz', '/startupz']
  test.each(paths)('HEAD %s is as GET, without the body', async (url) => {
    const { app } = start()
    const head = await app.inject({ method: 'HEAD', url })
    const get = await app.inject({ method: 'GET', url })
    expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([
      200,
      '',
      String(Buffer.byteLength(get.body)),
    ])
  })

  const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
  test.each(methods.flatMap((method) => [...paths, '/nothing'].map((url) => ({ method, url }))))(
    '$method $url is 405',
    async ({ method, url }) => {
      const { statusCode, headers, body } = await start().app.inject({ method, url })
      expect([statusCode, headers.allow, body]).toEqual([405, 'GET, HEAD', 'only GET and HEAD\n'])
    },
  )

  test('a body changes nothing about that', async () => {
    const payload = { some: 'JSON' }
    const { statusCode } = await start().app.inject({ method: 'POST', url: '/healthz', payload })
    expect(statusCode).toBe(405)
  })
})

describe('other paths', () => {
  test.each(['/', '/v1/token', '/v1/identity', '/metrics/', '/healthz/x', '/openid/v1/jwks'])(
    '%s is 404',
    async (url) => {
      const { statusCode, body } = await start().app.inject(url)
      expect({ statusCode, body }).toEqual({ statusCode: 404, body: 'there is nothing here\n' })
    },
  )

  test('an unreadable one is 400 and is not quoted', async () => {
    const { statusCode, body } = await start().app.inject('/what-was-sent-%zz')
    expect({ statusCode, body }).toEqual({ statusCode: 400, body: 'bad request\n' })
  })
})

test('/metrics is the text that Prometheus scrapes', async () => {
  const { app, metrics } = start()
  metrics.tally('exchanges', { outcome: 'issued' }).add()
  const { statusCode, headers, body } = await app.inject('/metrics')
  expect(statusCode).toBe(200)
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body).toBe(await metrics.text())
  expect(body).toContain('\nlumo_exchanges_total{outcome="issued"} 1\n')
})
