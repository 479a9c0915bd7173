import { expect, test } from 'vitest'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { webhookListener } from '../../src/webhook/listener.ts'
import { FakeLog } from '../fakes/log.ts'
import { caBundle, injection, labelled, podWith, reviewOf } from './reviews.ts'

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

const member = (name: string) => JSON.parse(`{"${name}":"x"}`) as Readonly<Record<string, string>>
test.each<[string, string, boolean | undefined]>([
  [
    'a label that would be the prototype',
    review(podWith({ labels: member('__proto__') })),
    undefined,
  ],
  [
    'a label with the name of what every object has',
    review(podWith({ labels: { ...labelled, constructor: 'x' } })),
    true,
  ],
  [
    'a constructor with a prototype',
    review(podWith({ spec: { constructor: { prototype: {} } } })),
    undefined,
  ],
  [
    'a name that is yet to be made',
    review({ ...podWith(), metadata: { labels: labelled, generateName: 'a-' } }),
    true,
  ],
  ['an update', review(podWith(), { operation: 'UPDATE' }), false],
  ['a deletion', review(null as never, { operation: 'DELETE', oldObject: podWith() }), false],
  ['a connection', review(podWith(), { operation: 'CONNECT' }), false],
  [
    'containers of an ephemeral kind',
    review(podWith(), { subResource: 'ephemeralcontainers' }),
    false,
  ],
  ['a member twice', '{"kind":"AdmissionReview","kind":"AdmissionReview"}', undefined],
  [
    'another version of the pod',
    review(podWith(), { resource: { group: '', version: 'v2', resource: 'pods' } }),
    false,
  ],
  [
    'an annotation of another type',
    review({ ...podWith(), metadata: { annotations: { a: 1 } } }),
    false,
  ],
  ['no name of a container', review(podWith({ containers: [{}] })), false],
])('a review with %s is answered, whatever it is', async (_name, payload, allowed) => {
  const answer = await start().app.inject({
    method: 'POST',
    url: '/mutate',
    headers: json,
    payload,
  })
  const { response } = answer.json<{ response?: { allowed: boolean } }>()
  expect([answer.statusCode, response?.allowed]).toEqual([
    allowed === undefined ? 400 : 200,
    allowed,
  ])
})

test('the same pod is given the same, but for its guard value, whether or not it is for good', async () => {
  const { app } = start()
  const texts = []
  for (const dryRun of [true, false]) {
    const payload = review(podWith(), { dryRun })
    const answer = await app.inject({ method: 'POST', url: '/mutate', headers: json, payload })
    const { patch } = answer.json<{ response: { patch: string } }>().response
    texts.push(Buffer.from(patch, 'base64').toString())
  }
  const guards = texts.map(
    (text) => /"LUMO_GUARD_SECRET","value":"([\w-]{43})"/.exec(text)?.[1] ?? '',
  )
  expect(new Set(guards).size).toBe(2)
  const [one, two] = texts.map((text, at) => text.replaceAll(guards[at] ?? '', 'guard'))
  expect(one).toBe(two)
})

test('a pod of 20 000 containers is refused with a short answer', async () => {
  const containers = Array.from({ length: 20_000 }, () => ({ name: 'a' }))
  const payload = review(podWith({ containers }))
  const answer = await start().app.inject({
    method: 'POST',
    url: '/mutate',
    headers: json,
    payload,
  })
  expect(answer.json()).toMatchObject({ response: { allowed: false, status: { code: 403 } } })
  expect(answer.body.length).toBeLessThan(1_000)
})
