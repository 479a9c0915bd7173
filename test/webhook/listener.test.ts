import { expect, test } from 'vitest'
import { admission, ask, type Response } from './asking.ts'
import { podWith, reviewOf } from './reviews.ts'

test.each([
  ['no label', {}],
  ['a label that says no', { 'lumoauth.dev/inject': 'false' }],
])('a pod with %s is left as it is', async (_name, labels) => {
  expect(await admission(podWith({ labels }))).toEqual({ uid: 'u-1', allowed: true })
})

test('a pod of 3 MB is served', async () => {
  const big = { name: 'app', env: [{ name: 'BIG', value: 'x'.repeat(3_000_000) }] }
  expect((await admission(podWith({ containers: [big] }))).allowed).toBe(true)
})

test.each<[string, number, unknown]>([
  ['no JSON', 400, '{'],
  ['nothing', 400, ''],
  ['a list', 400, []],
  ['another kind', 400, { apiVersion: 'admission.k8s.io/v1', kind: 'Pod' }],
  ['an older version', 400, { apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview' }],
  ['no request', 400, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }],
  ['no uid', 400, reviewOf(podWith(), { uid: '' })],
  ['4 MiB', 413, `"${'x'.repeat(4_194_304)}"`],
  ['more parts than a pod may have', 400, `[${'{},'.repeat(250_000)}{}]`],
  ['more levels than a pod may have', 400, `${'['.repeat(65)}${']'.repeat(65)}`],
])('a body with %s is answered %s', async (_name, status, body) => {
  const answer = await ask(body)
  expect([answer.status, typeof answer.body['message']]).toEqual([status, 'string'])
})

test.each<[string, unknown, Readonly<Record<string, unknown>>]>([
  ['no pod', {}, {}],
  ['a pod without containers', { metadata: {}, spec: { containers: [] } }, {}],
  ['another operation', podWith(), { operation: 'UPDATE' }],
  ['another resource', podWith(), { resource: { group: 'apps', resource: 'deployments' } }],
])('a review of %s is refused', async (_name, object, changes) => {
  const { status, body } = await ask(reviewOf(object, changes))
  expect([status, (body['response'] as unknown as Response).allowed]).toEqual([200, false])
})
