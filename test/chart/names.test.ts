import { expect, test } from 'vitest'
import { ofKind, one, render, type Manifest } from './chart.ts'
import { agent, modeOf } from './modes.ts'

const long = 'a'.repeat(53)

test.each([
  ['lumo', {}, 'lumo-lumo-broker'],
  ['lumo-broker', {}, 'lumo-broker'],
  ['my-lumo-broker-2', {}, 'my-lumo-broker-2'],
  ['x', { nameOverride: 'tokens' }, 'x-tokens'],
  ['x', { fullnameOverride: 'tokens' }, 'tokens'],
  [long, {}, 'a'.repeat(42)],
  [`${'a'.repeat(41)}-b`, {}, 'a'.repeat(41)],
] as const)('a release %s with %j is called %s', (name, values, full) => {
  const names = ofKind(render(values, { name }), 'Service').map(({ metadata }) => metadata.name)
  expect(names.sort()).toEqual([`${full}-authority`, `${full}-webhook`])
})

/** The longest that may become a label or a part of a domain name. */
const MAX_LABEL = 63
/** The controller of a StatefulSet adds a dash and ten characters to its name in a label of its pods. */
const MAX_STATEFUL_SET = 52

test('no name is too long with the longest release and namespace', () => {
  const release = { name: long, namespace: 'n'.repeat(63) }
  const manifests = render({ ...modeOf('everything'), agents: [agentOf('prod')] }, release)
  for (const manifest of manifests) {
    const limit =
      manifest.kind === 'StatefulSet' ? MAX_STATEFUL_SET : isClusterWide(manifest) ? 253 : MAX_LABEL
    expect(manifest.metadata.name.length, manifest.kind).toBeLessThanOrEqual(limit)
    for (const value of Object.values(manifest.metadata.labels ?? {})) {
      expect(value).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/)
    }
  }
})

test('two releases of one name in two namespaces share nothing', () => {
  const values = modeOf('a broker on each node')
  const wide = (namespace: string): readonly string[] =>
    render(values, { namespace })
      .filter((manifest) => isClusterWide(manifest))
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  const [here, there] = [new Set(wide('here')), wide('there')]
  expect(here.size).toBe(9)
  expect(there.filter((name) => here.has(name))).toEqual([])
})

function isClusterWide({ kind }: Manifest): boolean {
  return /^ClusterRole|Webhook|^ValidatingAdmission/.test(kind)
}

function agentOf(provider: string): typeof agent {
  return { ...agent, proof: { ...agent.proof, provider } }
}

test('what looks like a number or a word of YAML stays a text', () => {
  const odd = ['0x10', '1e3', 'true', 'null', '~']
  const [storageClass = '', priorityClassName = '', pullSecret = '', noProxy = ''] = odd
  const manifests = render(
    {
      nameOverride: '1e3',
      fullnameOverride: 'true',
      authority: {
        persistence: { storageClass },
        priorityClassName,
        proxy: { url: 'http://proxy.example.com:3128', noProxy: [noProxy] },
      },
      image: { registry: '', repository: '1', tag: '1', pullSecrets: [pullSecret] },
    },
    { name: 'null', namespace: '123' },
  )
  for (const { kind, metadata } of manifests) {
    const texts = [metadata.name, metadata.namespace ?? '', ...Object.values(metadata.labels ?? {})]
    expect(
      texts.filter((text) => typeof text !== 'string'),
      kind,
    ).toEqual([])
  }
  const { spec } = one(manifests, 'StatefulSet', 'true-authority') as unknown as {
    readonly spec: { readonly template: { readonly spec: object } }
  }
  expect(spec.template.spec).toMatchObject({
    priorityClassName,
    imagePullSecrets: [{ name: pullSecret }],
    containers: [{ image: '1:1' }],
  })
  expect(spec).toMatchObject({
    volumeClaimTemplates: [{ spec: { storageClassName: storageClass } }],
  })
})
