import { describe, expect, test } from 'vitest'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { DocumentFault, showFault } from '../../src/config/document.ts'
import { loadConfig } from '../../src/config/load.ts'
import { kindProven } from '../../src/config/provider/config.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { INJECTED, LABEL } from '../../src/webhook/annotations.ts'
import { PROOF_VOLUME, SIDECAR } from '../../src/webhook/sidecar.ts'
import { fileOf, lint, NAMESPACE, notes, ofKind, one, render, type Manifest } from './chart.ts'
import { modeNames, modeOf } from './modes.ts'
import { podsOf, type PodSpec } from './pods.ts'

const environment = { NODE_NAME: 'node-1', POD_IP: '10.0.0.1', HOST_IP: '10.1.0.1' }
const identity = ({ kind, metadata: { namespace = '', name } }: Manifest): string =>
  `${kind} ${namespace}/${name}`

/** Rendered for a version of the program that there is not yet. */
const notYet = [
  'authority.store.postgresUrlFile: PostgreSQL is not in this version: keep the state in authority.store.file',
]
const refused: Readonly<Record<string, readonly string[]>> = {
  PostgreSQL: notYet,
  'all in one, on PostgreSQL': notYet,
}

function faultsOf(text: string): readonly string[] {
  try {
    loadConfig(text, environment)
    return []
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    return error.faults.map(showFault)
  }
}

describe.each(modeNames)('%s', (name) => {
  const values = modeOf(name)

  test('has every configuration accepted by the program', () => {
    const manifests = render(values)
    const files = ofKind(manifests, 'ConfigMap').flatMap(({ metadata, ...rest }) => {
      const { 'config.yaml': text } = rest['data'] as Readonly<Record<string, string>>
      return text === undefined ? [] : [{ name: metadata.name, text }]
    })
    expect(files.length).toBe(
      ['StatefulSet', 'Deployment', 'DaemonSet'].flatMap((kind) => ofKind(manifests, kind)).length,
    )
    expect(files.flatMap(({ text }) => faultsOf(text))).toEqual(refused[name] ?? [])
  })

  test('has its trust policy accepted by the program', () => {
    const manifests = render(values)
    const [map] = ofKind(manifests, 'StatefulSet')
    if (!map) return
    const { authority } = loadConfig(fileOf(manifests, 'lumo-broker-authority', 'config.yaml'), {})
    const tenant = authority?.tenants[0]
    const providers = new Map(
      (tenant?.providers ?? []).map((provider) => [provider.name, kindProven(provider)]),
    )
    const text = fileOf(manifests, 'lumo-broker-policy', 'policy.yaml')
    const { conflicts } = compilePolicy([{ path: 'policy.yaml', text }], {
      providers,
      takenIds: [],
    })
    expect(conflicts).toEqual([])
  })

  test('has its clients accepted by the program', () => {
    const manifests = render(values)
    const [map] = ofKind(manifests, 'StatefulSet')
    if (!map) return
    const { authority } = loadConfig(fileOf(manifests, 'lumo-broker-authority', 'config.yaml'), {})
    const tenant = authority?.tenants[0]
    if (!tenant) throw new Error('the authority has no tenant')
    const text = fileOf(manifests, 'lumo-broker-clients', 'clients.yaml')
    const clients = parseClientFiles([{ path: 'clients.yaml', text }], tenant)
    expect(clients.length).toBe(Array.isArray(values['clients']) ? values['clients'].length : 0)
  })

  test('has nothing twice, and everything in its namespace', () => {
    const manifests = render(values)
    const names = manifests.map(identity)
    expect(new Set(names).size).toBe(names.length)
    for (const manifest of manifests) {
      expect(manifest.metadata.namespace ?? NAMESPACE).toBe(
        manifest.kind === 'Pod' ? 'demo' : NAMESPACE,
      )
    }
  })

  test('writes nothing that the program writes', () => {
    const manifests = render(values)
    for (const secret of ofKind(manifests, 'Secret')) {
      expect(Object.keys(secret).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'type'])
    }
    for (const lease of ofKind(manifests, 'Lease')) expect(lease['spec']).toBeUndefined()
    expect(JSON.stringify(ofKind(manifests, 'MutatingWebhookConfiguration'))).not.toContain(
      'caBundle"',
    )
  })
})

// Each takes a second: those that differ most.
test.each(['no values', 'an authority elsewhere', 'all in one, on PostgreSQL', 'everything'])(
  '%s lints clean',
  (name) => {
    const { ok, text } = lint(modeOf(name))
    expect(ok, text).toBe(true)
    expect(text).not.toMatch(/WARNING|ERROR/)
  },
)

test('all in one: the authority serves pods of mode node at its own name', () => {
  const manifests = render(modeOf('all in one'))
  const { webhook } = loadConfig(fileOf(manifests, 'lumo-broker-webhook', 'config.yaml'), {})
  expect(webhook?.injection.nodeBroker).toEqual({
    url: 'https://lumo-broker-authority.lumo-system.svc:9180',
  })
  const { spec } = one(manifests, 'Service', 'lumo-broker-authority')
  expect(spec).toMatchObject({ ports: [{ port: 9170 }, { port: 9180, targetPort: 'broker' }] })
  expect(ofKind(manifests, 'DaemonSet')).toEqual([])
})

test('PostgreSQL: several replicas without a volume, and one at a time that may go', () => {
  const manifests = render(modeOf('PostgreSQL'))
  expect(ofKind(manifests, 'StatefulSet')).toEqual([])
  const { spec } = one(manifests, 'Deployment', 'lumo-broker-authority') as unknown as {
    readonly spec: { readonly template: { readonly spec: PodSpec } }
  }
  expect(spec).toMatchObject({
    replicas: 3,
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  })
  expect(spec.template.spec.volumes).toContainEqual({
    name: 'postgresql',
    secret: { secretName: 'lumo-database', items: [{ key: 'url', path: 'url' }] },
  })
  expect(JSON.stringify(spec)).not.toContain('/var/lib/lumo')
  expect(spec.template.spec).toMatchObject({
    topologySpreadConstraints: [
      {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'authority' } },
      },
    ],
  })
  const budget = one(manifests, 'PodDisruptionBudget', 'lumo-broker-authority')
  expect(budget['spec']).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  })
})

test.each([
  { given: undefined, replicas: 2, budgets: 1 },
  { given: null, replicas: 2, budgets: 1 },
  // A budget for one would only keep nodes from being drained.
  { given: 1, replicas: 1, budgets: 0 },
])('PostgreSQL: replicas $given make $replicas', ({ given, replicas, budgets }) => {
  const postgresql = { secretName: 'lumo-database' }
  const authority = given === undefined ? { postgresql } : { postgresql, replicas: given }
  const manifests = render({ authority })
  expect(one(manifests, 'Deployment', 'lumo-broker-authority')['spec']).toMatchObject({ replicas })
  const named = ofKind(manifests, 'PodDisruptionBudget').filter(({ metadata }) =>
    metadata.name.endsWith('-authority'),
  )
  expect(named.length).toBe(budgets)
})

test('labels of all: everything has them, what says its own keeps it, and no selector and no claim changes', () => {
  const values = modeOf('everything')
  const manifests = render(values)
  const plain = render({ ...values, commonLabels: {} })
  for (const { kind, metadata } of manifests) {
    expect(metadata.labels, kind).toMatchObject({ 'corp.example/owner': 'identity' })
  }
  for (const { labels } of podsOf(manifests)) {
    expect(labels).toMatchObject({ 'corp.example/owner': 'identity' })
  }
  const { spec } = one(manifests, 'Deployment', 'lumo-broker-webhook') as unknown as {
    readonly spec: { readonly template: object }
  }
  expect(spec.template).toMatchObject({ metadata: { labels: { team: 'b', release: '1e3' } } })
  expect(one(manifests, 'PrometheusRule', 'lumo-broker').metadata.labels).toMatchObject({
    team: 'a',
    release: 'prometheus',
  })
  expect(unchangeable(manifests)).toEqual(unchangeable(plain))
})

/** What the API server lets nobody change, so that an upgrade with other labels would fail. */
function unchangeable(manifests: readonly Manifest[]): readonly unknown[] {
  return manifests.flatMap(({ spec }) => {
    const { selector, volumeClaimTemplates } = (spec ?? {}) as Readonly<Record<string, unknown>>
    return selector === undefined ? [] : [selector, volumeClaimTemplates]
  })
}

const kept = { 'helm.sh/resource-policy': 'keep' }

test.each([
  { mode: 'no values', whenDeleted: 'Retain', annotations: kept },
  { mode: 'no trace after uninstall', whenDeleted: 'Delete', annotations: undefined },
])('what stays after uninstall with $mode', ({ mode, whenDeleted, annotations }) => {
  const manifests = render(modeOf(mode))
  const secrets = ['key-encryption', 'ca'].map((name) =>
    one(manifests, 'Secret', `lumo-broker-${name}`),
  )
  const { spec } = one(manifests, 'StatefulSet', 'lumo-broker-authority')
  expect(spec).toMatchObject({ persistentVolumeClaimRetentionPolicy: { whenDeleted } })
  for (const secret of secrets) expect(secret.metadata.annotations).toEqual(annotations)
  const others = manifests.filter((manifest) => !secrets.includes(manifest))
  expect(
    others.filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']),
  ).toEqual([])
})

test('the webhook is asked of labelled pods only, and never of its own', () => {
  const manifests = render({})
  const { webhooks } = one(
    manifests,
    'MutatingWebhookConfiguration',
    'lumo-broker.lumo-system',
  ) as unknown as { readonly webhooks: readonly unknown[] }
  const scope = {
    objectSelector: { matchLabels: { 'lumoauth.dev/inject': 'true' } },
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [NAMESPACE] },
      ],
    },
  }
  expect(webhooks).toEqual([
    {
      name: 'inject.lumoauth.dev',
      admissionReviewVersions: ['v1'],
      clientConfig: {
        service: {
          name: 'lumo-broker-webhook',
          namespace: NAMESPACE,
          path: '/mutate',
          port: 443,
        },
      },
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE'],
          resources: ['pods'],
          scope: 'Namespaced',
        },
      ],
      ...scope,
      failurePolicy: 'Fail',
      sideEffects: 'None',
      reinvocationPolicy: 'IfNeeded',
      timeoutSeconds: 10,
    },
  ])
  const policy = one(manifests, 'ValidatingAdmissionPolicy', 'lumo-broker.lumo-system')
  // Of any value of the label, for a misspelt one would be no label to the webhook.
  const key = { matchExpressions: [{ key: 'lumoauth.dev/inject', operator: 'Exists' }] }
  expect(policy['spec']).toMatchObject({
    failurePolicy: 'Fail',
    matchConstraints: { ...scope, objectSelector: key },
  })
  for (const name of [SIDECAR, PROOF_VOLUME, INJECTED, LABEL]) {
    expect(JSON.stringify(policy['spec'])).toContain(name)
  }
})

test.each([
  { mode: 'no values', says: ['NOTHING GETS A TOKEN YET', 'state-lumo-broker-authority-0'] },
  {
    mode: 'PostgreSQL',
    says: ['NOTHING GETS A TOKEN YET', 'DOES NOT START', 'secret/lumo-broker-key-encryption'],
    never: ['persistentvolumeclaim/'],
  },
  {
    mode: 'all in one, on PostgreSQL',
    says: ['NOTHING GETS', 'DOES NOT START', 'persistence.keep is false'],
    never: ['kubectl delete', 'volume'],
  },
  { mode: 'one agent and its test', says: ['helm test', 'secret/lumo-broker-key-encryption'] },
  { mode: 'no trace after uninstall', says: ['NOTHING GETS', 'persistence.keep is false'] },
  { mode: 'cert-manager', says: ['NOTHING GETS', "cert-manager's, and stay"] },
])('what the notes say with $mode', ({ mode, says, never = [] }) => {
  const text = notes(modeOf(mode))
  for (const part of never) expect(text).not.toContain(part)
  for (const part of says) expect(text).toContain(part)
  expect(text.includes('NOTHING GETS')).toBe(says.some((part) => part.startsWith('NOTHING GETS')))
})
