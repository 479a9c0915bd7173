import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { webhookListener } from '../../src/webhook/listener.ts'
import { FakeLog } from '../fakes/log.ts'
import { annotated } from './admitted.ts'
import { admission, made, operationsOf, start, valuesOf, type Made } from './asking.ts'
import { caBundle, injection, patched, podWith } from './reviews.ts'

describe('a labelled pod', () => {
  test('gets a sidecar, its proof and an environment', async () => {
    const { spec, metadata } = await made()
    const [sidecar] = spec.initContainers
    expect(spec.initContainers.map(({ name }) => name)).toEqual(['lumo-broker'])
    expect(sidecar).toMatchObject({
      image: 'registry.example/lumo-broker:1.0.0',
      restartPolicy: 'Always',
      args: ['run'],
      startupProbe: {
        httpGet: { path: '/startupz', port: 9_190 },
        failureThreshold: 2_147_483_647,
      },
      resources: injection.sidecar.resources,
      securityContext: {
        runAsUser: 65_532,
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    })
    expect(spec.volumes).toEqual([
      {
        name: 'lumo-proof',
        projected: {
          sources: [
            {
              serviceAccountToken: {
                path: 'token',
                audience: injection.proofAudience,
                expirationSeconds: 3_600,
              },
            },
          ],
        },
      },
    ])
    expect(spec.containers[0]?.volumeMounts).toBeUndefined()
    const { AGENT_CLIENT_SECRET: secret, ...rest } = valuesOf(spec.containers[0])
    expect(rest).toEqual({
      LUMOAUTH_URL: 'http://127.0.0.1:9180',
      LUMOAUTH_ORG_ID: 'acme-corp',
      LUMOAUTH_TENANT: 'acme-corp',
      AGENT_CLIENT_ID: 'self',
    })
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(valuesOf(sidecar)['LUMO_GUARD_SECRET']).toBe(secret)
    expect(spec.imagePullSecrets).toEqual([{ name: 'pull' }])
    expect(metadata.annotations['lumoauth.dev/injected']).toBe('sidecar')
    expect(metadata.annotations['lumoauth.dev/ca']).toMatch(/^[0-9a-f]{16}$/)
  })

  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['as it comes', {}, { listen: [{ port: 9_180 }, { port: 9_180 }] }],
    ['other ports', { port: '9280' }, { listen: [{ port: 9_280 }, { port: 9_280 }] }],
    ['a socket', { socket: 'app' }, { listen: [{ socket: '/run/lumoauth/broker.sock' }] }],
    [
      'an audience and scopes',
      { audience: 'https://docs.example', scopes: 'read:documents,write:documents' },
      {
        policyDocument: {
          workloads: [
            {
              name: 'annotations',
              allow: [
                {
                  audience: 'https://docs.example',
                  scopes: ['read:documents', 'write:documents'],
                },
              ],
            },
          ],
        },
      },
    ],
  ])('has a configuration that its sidecar understands: %s', async (_name, narrowed, expected) => {
    const { spec } = await made({ annotations: annotated(narrowed) })
    const text = valuesOf(spec.initContainers[0])['LUMO_CONFIG_DOCUMENT'] ?? ''
    const { broker } = resolveConfig(JSON.parse(text), { LUMO_GUARD_SECRET: 'x'.repeat(43) })
    expect(broker).toMatchObject({
      tenant: 'acme-corp',
      proofAudience: injection.proofAudience,
      remote: { ca: caBundle },
      dropIn: { guard: 'secret' },
      ...expected,
    })
  })

  test('of the mode node gets its proof and no secret', async () => {
    const { spec, metadata } = await made({ annotations: annotated({ mode: 'node' }) })
    expect(spec.initContainers).toBeUndefined()
    expect(valuesOf(spec.containers[0])).toEqual({
      LUMOAUTH_URL: 'https://lumo-node.lumo-system.svc:9180',
      LUMOAUTH_ORG_ID: 'acme-corp',
      LUMOAUTH_TENANT: 'acme-corp',
      LUMOAUTH_TOKEN_FILE: '/var/run/secrets/lumoauth.dev/proof/token',
      LUMOAUTH_CA_FILE: '/var/run/secrets/lumoauth.dev/proof/ca.crt',
    })
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: 'lumo-proof', mountPath: '/var/run/secrets/lumoauth.dev/proof', readOnly: true },
    ])
    expect(metadata.annotations).toMatchObject({
      'lumoauth.dev/injected': 'node',
      'lumoauth.dev/ca-bundle': caBundle,
    })
    const field = "metadata.annotations['lumoauth.dev/ca-bundle']"
    expect(spec.volumes[0]).toMatchObject({
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { downwardAPI: { items: [{ path: 'ca.crt', fieldRef: { fieldPath: field } }] } },
        ],
      },
    })
  })

  test('keeps what its author set, and what was not chosen', async () => {
    const env = [{ name: 'LUMOAUTH_URL', value: 'http://mine' }]
    const { spec } = await made({
      annotations: annotated({ containers: 'app' }),
      containers: [{ name: 'app', env }, { name: 'other' }],
    })
    expect(valuesOf(spec.containers[0])['LUMOAUTH_URL']).toBe('http://mine')
    expect(spec.containers[1]).toEqual({ name: 'other' })
  })

  const proxy = { name: 'HTTPS_PROXY', value: 'http://proxy:3128' }
  test.each<[string, readonly object[], string | undefined]>([
    ['no proxy', [], undefined],
    ['a proxy', [proxy], '127.0.0.1,localhost,::1'],
    ['exceptions', [proxy, { name: 'NO_PROXY', value: '.corp' }], '.corp,127.0.0.1,localhost,::1'],
    ['empty exceptions', [proxy, { name: 'NO_PROXY', value: '' }], '127.0.0.1,localhost,::1'],
    ['the loopback excepted', [proxy, { name: 'NO_PROXY', value: '127.0.0.1' }], '127.0.0.1'],
    ['exceptions from elsewhere', [proxy, { name: 'NO_PROXY', valueFrom: {} }], undefined],
  ])('with %s has these exceptions', async (_name, env, expected) => {
    const { spec } = await made({ containers: [{ name: 'app', env }] })
    expect(valuesOf(spec.containers[0])['NO_PROXY']).toBe(expected)
  })

  test.each<[string, readonly string[], readonly string[]]>([
    ['first', ['migrate'], ['lumo-broker', 'migrate']],
    ['behind a mesh', ['istio-proxy', 'migrate'], ['istio-proxy', 'lumo-broker', 'migrate']],
  ])('has its sidecar %s', async (_name, before, after) => {
    const initContainers = before.map((name) => ({ name }))
    const { spec } = await made({ spec: { initContainers } })
    expect(spec.initContainers.map(({ name }) => name)).toEqual(after)
    expect(valuesOf(spec.initContainers.at(-1))['AGENT_CLIENT_ID']).toBe('self')
    const mesh = spec.initContainers.find(({ name }) => name === 'istio-proxy')
    expect(mesh?.env).toBeUndefined()
  })

  test('is left as it is when it comes again', async () => {
    expect(await admission(await made())).toEqual({ uid: 'u-1', allowed: true })
    const node = await made({ annotations: annotated({ mode: 'node' }) })
    expect(await admission(node)).toEqual({ uid: 'u-1', allowed: true })
  })

  test('has no CA in it where those of the system are trusted', async () => {
    const pod = podWith()
    const app = start({ caBundle: undefined, brokerCa: caBundle })
    const { spec, metadata } = patched(pod, operationsOf(await admission(pod, app))) as Made
    const text = valuesOf(spec.initContainers[0])['LUMO_CONFIG_DOCUMENT'] ?? ''
    const { broker } = resolveConfig(JSON.parse(text), {})
    expect([broker?.remote?.ca, metadata.annotations]).toEqual([
      undefined,
      { 'lumoauth.dev/injected': 'sidecar' },
    ])
  })

  test('waits for a certificate authority', async () => {
    const app = webhookListener({
      injection,
      trusted: () => undefined,
      random: systemRandom,
      log: new FakeLog(),
      metrics: new PrometheusMetrics(),
    })
    expect(await admission(podWith(), app)).toMatchObject({ allowed: false, status: { code: 503 } })
  })
})
