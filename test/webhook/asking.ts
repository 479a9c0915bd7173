import { expect } from 'vitest'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Trusted } from '../../src/webhook/admit.ts'
import type { Operation } from '../../src/webhook/patch.ts'
import { webhookListener } from '../../src/webhook/listener.ts'
import { FakeLog } from '../fakes/log.ts'
import { caBundle, injection, patched, podWith, reviewOf, type PodParts } from './reviews.ts'

export function start(trust: Trusted | undefined = { caBundle, brokerCa: caBundle }) {
  return webhookListener({
    injection,
    trusted: () => trust,
    random: systemRandom,
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  })
}

export async function ask(body: unknown, app = start()) {
  const { statusCode, body: text } = await app.inject({
    method: 'POST',
    url: '/mutate',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: statusCode, body: JSON.parse(text) as Record<string, never> }
}

export interface Response {
  readonly uid: string
  readonly allowed: boolean
  readonly patch?: string
  readonly status?: { readonly code: number; readonly message: string }
}

export async function admission(pod: unknown, app = start()): Promise<Response> {
  const { status, body } = await ask(reviewOf(pod), app)
  expect(status).toBe(200)
  return body['response'] as unknown as Response
}

export interface Made {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly Container[]
    readonly initContainers: readonly Container[]
    readonly volumes: readonly { readonly name: string }[]
    readonly imagePullSecrets?: unknown
  }
}

interface Container {
  readonly name: string
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

export function operationsOf({ patch }: Response): readonly Operation[] {
  return patch === undefined
    ? []
    : (JSON.parse(Buffer.from(patch, 'base64').toString()) as readonly Operation[])
}

/** The pod as it is made. */
export async function made(parts: PodParts = {}): Promise<Made> {
  const pod = podWith(parts)
  const response = await admission(pod)
  expect(response).toMatchObject({ uid: 'u-1', allowed: true })
  return patched(pod, operationsOf(response)) as Made
}

export function valuesOf(
  container: Container | undefined,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]))
}
