import { expect, test } from 'vitest'
import { ofKind, render, type Manifest } from './chart.ts'
import { modeOf } from './modes.ts'
import { linesOf, type Rule } from './rules.ts'

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly name: string; readonly namespace: string }[]
}

/** What service accounts may do, one line for each verb, as `account: verb group/resource name (all namespaces)`. */
function rights(manifests: readonly Manifest[]): readonly string[] {
  return ['RoleBinding', 'ClusterRoleBinding'].flatMap((kind) =>
    ofKind(manifests, kind).flatMap((manifest) => {
      const { roleRef, subjects } = manifest as unknown as Binding
      const role = ofKind(manifests, roleRef.kind).find(
        ({ metadata }) => metadata.name === roleRef.name,
      )
      if (!role) throw new Error(`there is no ${roleRef.kind} ${roleRef.name}`)
      const where = kind === 'RoleBinding' ? 'here' : 'everywhere'
      return subjects.flatMap((subject) =>
        (role['rules'] as readonly Rule[]).flatMap((rule) =>
          linesOf(rule).map((line) => `${subject.namespace}/${subject.name} ${where}: ${line}`),
        ),
      )
    }),
  )
}

const account = (name: string): string => `lumo-system/lumo-broker-${name}`
const authority = [
  `${account('authority')} everywhere: get /openid/v1/jwks`,
  `${account('authority')} here: get secrets lumo-broker-key-encryption`,
  `${account('authority')} here: update secrets lumo-broker-key-encryption`,
]
const node = [`${account('node')} everywhere: get /openid/v1/jwks`]
const secrets = (...names: readonly string[]): readonly string[] =>
  names.flatMap((name) =>
    ['get', 'update'].map(
      (verb) => `${account('webhook')} here: ${verb} secrets lumo-broker-${name}`,
    ),
  )
const configuration = 'admissionregistration.k8s.io/mutatingwebhookconfigurations'
const webhook = [
  ...secrets('ca', 'authority-tls', 'webhook-tls', 'broker-tls'),
  `${account('webhook')} here: get coordination.k8s.io/leases lumo-broker-webhook`,
  `${account('webhook')} here: update coordination.k8s.io/leases lumo-broker-webhook`,
  `${account('webhook')} everywhere: get ${configuration} lumo-broker.lumo-system`,
  `${account('webhook')} everywhere: patch ${configuration} lumo-broker.lumo-system`,
  `${account('webhook')} everywhere: list pods *`,
]

test.each([
  { mode: 'no values', all: [...authority, ...webhook] },
  { mode: 'a broker on each node', all: [...authority, ...webhook, ...node] },
  { mode: 'cert-manager', all: [...authority, ...node] },
  { mode: 'an authority elsewhere', all: node },
  { mode: 'an authority alone', all: authority },
  // Serving pods and keeping the state elsewhere take no right more.
  ...['all in one', 'PostgreSQL', 'all in one, on PostgreSQL'].map((mode) => ({
    mode,
    all: [...authority, ...webhook],
  })),
  {
    // Keys from elsewhere than its own API server, which is asked about each proof.
    mode: 'everything',
    all: [
      ...authority.filter((right) => !right.includes('jwks')),
      `${account('authority')} everywhere: create authentication.k8s.io/tokenreviews *`,
      ...webhook,
    ],
  },
])('what the pods may do with $mode, and nothing else', ({ mode, all }) => {
  expect([...rights(render(modeOf(mode)))].sort()).toEqual([...all].sort())
})
