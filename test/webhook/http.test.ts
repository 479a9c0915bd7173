import { expect, test } from 'vitest'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { webhookListener } from '../../src/webhook/listener.ts'
import { FakeLog } from '../fakes/log.ts'
import { caBundle, injection, podWith, reviewOf } from './reviews.ts'

function start(trusted = () => ({ caBundle, brokerCa: caBundle })) {
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const app = webhookListener({ injection, trusted, random: systemRandom, log, metrics })
  return { app, log, metrics }
}

const json = { 'content-type': 'application/json' }
const review = (pod: object, changes = {}) => JSON.stringify(reviewOf(pod, changes))

test.each<[string, 'POST' | 'GET', string, Readonly<Record<string, string>>, number]>([
  ['with the timeout of the API server', 'POST', '/mutate?timeout=10s', json, 200],
  ['in text', 'POST', '/mutate', { 'content-type': 'text/plain' }, 415],
  ['of no media type', 'POST', '/mutate', { 'content-type': '' }, 415],
  ['at another path', 'POST', '/validate', json, 404],
  ['to be read', 'GET', '/mutate', {}, 404],
])('a review %s', async (_name, method, url, headers, status) => {
  const payload = method === 'POST' ? review(podWith()) : ''
  const { statusCode } = await start().app.inject({ method, url, headers, payload })
  expect(statusCode).toBe(status)
})

test('a fault of its own is not told as that of the pod', async () => {
  const { app, log } = start(() => {
    throw new Error('broken')
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/mutate',
    headers: json,
    payload: review(podWith()),
  })
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({
    response: { allowed: false, status: { code: 503, reason: 'ServiceUnavailable' } },
  })
  expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info'])
})

test('a review that is about no new pod is the fault of who asks', async () => {
  const answer = await start().app.inject({
    method: 'POST',
    url: '/mutate',
    headers: json,
    payload: review(podWith(), { subResource: 'binding' }),
  })
  expect(answer.json()).toMatchObject({ response: { allowed: false, status: { code: 400 } } })
})

test('a dry run, a refusal and a pod without label are counted, and a refusal is logged with its pod', async () => {
  const { app, log, metrics } = start()
  const host = podWith({ spec: { hostNetwork: true } })
  for (const payload of [
    review(podWith(), { dryRun: true }),
    review(host, { namespace: 'demo' }),
    review(podWith({ labels: {} })),
    '{',
  ]) {
    await app.inject({ method: 'POST', url: '/mutate', headers: json, payload })
  }
  const text = await metrics.text()
  for (const outcome of ['injected', 'refused', 'untouched', 'malformed']) {
    expect(text).toContain(`lumo_webhook_admissions_total{outcome="${outcome}"} 1`)
  }
  expect(log.lines).toMatchObject([{ level: 'info', fields: { namespace: 'demo', pod: 'a' } }])
})
