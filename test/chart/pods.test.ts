import { describe, expect, test } from 'vitest'
import { ofKind, one, render } from './chart.ts'
import { agent, modeNames, modeOf } from './modes.ts'
import { containersOf, podsOf, restrictedFaults, type PodSpec } from './pods.ts'

describe.each(modeNames)('%s', (name) => {
  const pods = podsOf(render(modeOf(name)))

  test('fits into a namespace with the level restricted', () => {
    expect(pods.length).toBeGreaterThan(0)
    for (const pod of pods) {
      const allowed = name === 'host network' ? ['hostNetwork'] : []
      expect(restrictedFaults(pod.spec), pod.name).toEqual(
        pod.spec.hostNetwork === true ? allowed : [],
      )
    }
  })

  test('gives no pod more than it asks for by name', () => {
    for (const { spec } of pods) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
      for (const { resources, securityContext, image } of containersOf(spec)) {
        expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true })
        expect(Object.keys(resources?.requests ?? {}).sort()).toEqual(['cpu', 'memory'])
        expect(Object.keys(resources?.limits ?? {})).toEqual(['memory'])
        expect(image).toMatch(/[:@]/)
      }
    }
  })

  test('mounts no folder that could not change, and no key that it does not name', () => {
    for (const { spec } of pods) {
      expect(JSON.stringify(spec)).not.toContain('subPath')
      for (const volume of spec.volumes ?? []) {
        if ('secret' in volume) expect(volume['secret']).toHaveProperty('items')
      }
    }
  })
})

const sound: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'a',
      image: 'b:1',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
}

test.each([
  ['sound', sound, []],
  ['the network of the node', { ...sound, hostNetwork: true }, ['hostNetwork']],
  [
    'root',
    { ...sound, securityContext: { runAsUser: 0 } },
    ['a: runAsNonRoot', 'a: runAsUser', 'a: seccompProfile'],
  ],
  [
    'a folder of the node',
    { ...sound, volumes: [{ name: 'v', hostPath: {} }] },
    ['volume of type hostPath'],
  ],
  [
    'no context',
    { containers: [{ name: 'a', image: 'b:1' }] },
    ['a: allowPrivilegeEscalation', 'a: capabilities', 'a: runAsNonRoot', 'a: seccompProfile'],
  ],
] as const)('the judge of pods itself: %s', (_, spec, faults) => {
  expect(restrictedFaults(spec)).toEqual(faults)
})

const digest = `sha256:${'0'.repeat(64)}`

test.each([
  [{}, 'ghcr.io/lumoauth/lumo-broker:0.1.0'],
  [{ image: { registry: '', repository: 'lumo-broker', tag: 'dev' } }, 'lumo-broker:dev'],
  [{ image: { tag: '9', digest } }, `ghcr.io/lumoauth/lumo-broker@${digest}`],
  [{ global: { imageRegistry: 'reg:5000' } }, 'reg:5000/lumoauth/lumo-broker:0.1.0'],
])('the image of %j', (values, image) => {
  const manifests = render({ ...values, agents: [agent], helmTest: { agent: agent.name } })
  const images = podsOf(manifests).flatMap(({ spec }) => containersOf(spec).map((c) => c.image))
  expect(new Set(images)).toEqual(new Set([image]))
  const map = one(manifests, 'ConfigMap', 'lumo-broker-webhook')
  expect(JSON.stringify(map)).toContain(`image: ${image}\\n`)
})

test('everything that can be said of a pod', () => {
  const manifests = render(modeOf('everything'))
  const spec = podsOf(ofKind(manifests, 'StatefulSet'))[0]
  expect(spec?.labels).toMatchObject({ team: 'b' })
  expect(spec?.spec).toMatchObject({
    priorityClassName: 'high',
    nodeSelector: { pool: 'system' },
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    imagePullSecrets: [{ name: 'shared' }, { name: 'own' }],
    topologySpreadConstraints: [{ topologyKey: 'zone' }],
  })
  expect(spec?.spec.containers[0]?.env).toEqual([
    { name: 'LUMO_CONFIG', value: '/etc/lumo/config/config.yaml' },
    { name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' },
    {
      name: 'NO_PROXY',
      value:
        '.svc,.corp.local,$(KUBERNETES_SERVICE_HOST),localhost,127.0.0.1,::1,.corp.example.com',
    },
    { name: 'NODE_EXTRA_CA_CERTS', value: '/etc/lumo/config/extra-ca.crt' },
    { name: 'TZ', value: 'UTC' },
  ])
})
