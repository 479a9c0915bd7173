import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operationsApi } from '../../src/ops/api.ts'
import { operationsListener } from '../../src/ops/listener.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { openApiDocument } from '../../src/ops/openapi.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { handlerOf, listen, type Listening } from '../../src/platform/listen.ts'
import { sendHttp } from '../fakes/running_authority.ts'
import { Contract } from './contract.ts'
import { routesOf } from './routes.ts'

const info = { title: 'lumo-broker', version: '1.2.3', description: 'What is served.' }
const written = openApiDocument(info, [operationsApi()])
const contract = new Contract(written)

function start({ ready = true } = {}) {
  const asked = { times: 0 }
  const probes = { ready: () => ready, started: () => ready }
  const app = operationsListener(new PrometheusMetrics(), probes, () => {
    asked.times += 1
    return Promise.resolve(written)
  })
  return { app, asked }
}

describe('/openapi.json', () => {
  test('is the document, as JSON', async () => {
    const { statusCode, headers, body } = await start().app.inject('/openapi.json')
    expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(body).toBe(written)
  })

  test('HEAD is as GET, without the body', async () => {
    const { app } = start()
    const { statusCode, body, headers } = await app.inject({ method: 'HEAD', url: '/openapi.json' })
    expect([statusCode, body, headers['content-length']]).toEqual([
      200,
      '',
      String(Buffer.byteLength(written)),
    ])
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const)('%s is 405', async (method) => {
    const { app, asked } = start()
    const { statusCode, headers } = await app.inject({ method, url: '/openapi.json' })
    expect([statusCode, headers.allow, asked.times]).toEqual([405, 'GET, HEAD', 0])
  })

  test.each([
    { ready: true, times: 1, name: 'once' },
    // What has yet to listen has no addresses to name.
    { ready: false, times: 2, name: 'each time until all roles listen' },
  ])('is written when it is asked for, and not before: $name', async ({ ready, times }) => {
    const { app, asked } = start({ ready })
    await app.ready()
    await app.inject('/healthz')
    expect(asked.times).toBe(0)
    const bodies = [await app.inject('/openapi.json'), await app.inject('/openapi.json')]
    expect(bodies.map(({ body }) => body)).toEqual([written, written])
    expect(asked.times).toBe(times)
  })
})

test('a document that cannot be written is no fault of whoever asks, and is tried again', async () => {
  const probes = { ready: () => true, started: () => true }
  let tries = 0
  const app = operationsListener(new PrometheusMetrics(), probes, () => {
    tries += 1
    return tries === 1 ? Promise.reject(new Error('not-to-be-read')) : Promise.resolve(written)
  })
  const { statusCode: status, headers, body: text } = await app.inject('/openapi.json')
  expect([status, text]).toEqual([500, 'not available\n'])
  const answer = { status, headers: headers as Record<string, string>, text }
  expect(contract.faultsOf('GET', '/openapi.json', answer)).toEqual([])
  expect((await app.inject('/openapi.json')).body).toBe(written)
})

describe('the operations listener is as it is described', () => {
  let listening: Listening
  let port: number

  beforeAll(async () => {
    const { app } = start({ ready: false })
    await app.ready()
    const address = { host: '127.0.0.1', port: 0 }
    listening = await listen(
      { role: 'operations listener', handler: handlerOf(app), addresses: [address] },
      systemClock,
    )
    port = Number(listening.addresses[0]?.split(':')[1])
  })

  afterAll(() => listening.close(0))

  test('with all its routes', async () => {
    const { app } = start()
    await app.ready()
    expect(Object.keys(contract.document.paths).toSorted()).toEqual(routesOf(app))
  })

  test.each([
    ['/metrics', 200],
    ['/healthz', 200],
    ['/readyz', 503],
    ['/startupz', 503],
    ['/openapi.json', 200],
  ])('at %s: %i', async (path, status) => {
    const answer = await sendHttp(port, { path })
    expect([answer.status, contract.faultsOf('GET', path, answer)]).toEqual([status, []])
  })

  test.each(['/readyz', '/startupz'])('at %s where it is ready', async (url) => {
    const { statusCode: status, headers, body: text } = await start().app.inject(url)
    const answer = { status, headers: headers as Record<string, string>, text }
    expect([status, contract.faultsOf('GET', url, answer)]).toEqual([200, []])
  })
})
