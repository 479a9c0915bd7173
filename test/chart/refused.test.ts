import { expect, test } from 'vitest'
import { template, type Values } from './chart.ts'
import { agent, pem } from './modes.ts'

interface Refused {
  readonly what: string
  readonly values: Values
  /** What the person has to be told. */
  readonly says: string
}

const issuerRef = { name: 'ca' }
const certManager = { source: 'cert-manager', issuerRef }
const issuerURL = 'https://auth.example.com/t/acme-corp/api/v1'
const agentIn = (proof: Values): Values => ({ ...agent, proof: { ...agent.proof, ...proof } })
const tested = (proof: Values): Values => ({
  agents: [agentIn(proof)],
  helmTest: { agent: agent.name },
})

/** Values that contradict each other. */
const contradictions: readonly Refused[] = [
  {
    what: 'nothing to install',
    values: { authority: { enabled: false }, webhook: { enabled: false } },
    says: 'authority.enabled, webhook.enabled and node.enabled are all false',
  },
  {
    what: 'an issuer of another tenant',
    values: { issuerURL, tenant: 'big-corp' },
    says: 'issuerURL is of the tenant acme-corp, and tenant is big-corp',
  },
  {
    what: 'a CA for an authority elsewhere, and an authority here',
    values: { authority: { serverCA: pem } },
    says: 'authority.serverCA is for an authority elsewhere',
  },
  {
    what: 'an authority elsewhere without a place',
    values: { authority: { enabled: false } },
    says: 'issuerURL has to name the tenant',
  },
  ...[
    { agents: [agent] },
    { clients: [{ id: 'reporter' }] },
    { authority: { enabled: false, extraProviders: [{ name: 'a', kind: 'oidc' }] } },
  ].map((values) => ({
    what: `what only an authority here can have: ${JSON.stringify(values).slice(0, 20)}`,
    values: { issuerURL, authority: { enabled: false }, certificates: certManager, ...values },
    says: 'would have no effect: authority.enabled is false',
  })),
  {
    what: 'own certificates without the webhook',
    values: { webhook: { enabled: false } },
    says: 'it is the webhook that makes the certificates',
  },
  {
    what: 'own certificates and an issuer',
    values: { certificates: { issuerRef } },
    says: 'certificates.issuerRef is for cert-manager',
  },
  {
    what: 'cert-manager without an issuer',
    values: { certificates: { source: 'cert-manager' } },
    says: 'certificates.issuerRef.name has to name one',
  },
  {
    what: 'mode node without the webhook',
    values: {
      webhook: { enabled: false, defaultMode: 'node' },
      node: { enabled: true },
      certificates: certManager,
    },
    says: 'webhook.defaultMode is node, and webhook.enabled is false',
  },
  {
    what: 'mode node without node brokers',
    values: { webhook: { defaultMode: 'node' } },
    says: 'webhook.defaultMode is node, and neither node.enabled nor authority.allInOne is true',
  },
  {
    what: 'a port twice',
    values: { webhook: { port: 9190 } },
    says: 'webhook.port is 9190, where its metrics and probes are',
  },
  {
    what: 'a host in the repository of the image',
    values: { image: { repository: 'registry.example.com/lumo-broker' } },
    says: 'Put the host into image.registry, and the rest into image.repository',
  },
  {
    what: 'a port that the kubelet has',
    values: { webhook: { hostNetwork: true, port: 10250 } },
    says: 'webhook.port is 10250, which Kubernetes itself has',
  },
  {
    what: 'a password in the address of a proxy',
    values: { authority: { proxy: { url: 'http://user:hunter2@proxy.example.com:3128/path' } } },
    says: 'authority.proxy.url is "http://…@proxy.example.com:3128/path"',
  },
  {
    what: 'an audience of a test that is not there',
    values: { helmTest: { audience: 'https://docs.example.com' } },
    says: 'helmTest.audience would have no effect',
  },
  {
    what: 'an agent twice',
    values: { agents: [agent, agent] },
    says: 'two of agents have the name hello-agent',
  },
  {
    what: 'an agent of a provider that is not there',
    values: { agents: [agentIn({ provider: 'prod' })] },
    says: 'has the provider prod, which is neither clusterName (this-cluster)',
  },
  {
    what: 'a name that no Service can have',
    values: { fullnameOverride: '1-broker' },
    says: 'names would begin with 1-broker, and those of Services begin with a letter',
  },
  ...[
    { authority: { extraEnv: [{ name: 'LUMO_CONFIG', value: 'x' }] } },
    { node: { proxy: { url: 'http://proxy:1' }, extraEnv: [{ name: 'NO_PROXY', value: 'x' }] } },
  ].map((values) => ({
    what: `a variable of the chart: ${JSON.stringify(values).slice(0, 12)}`,
    values,
    says: 'which the chart sets itself',
  })),
  {
    what: 'the annotation that restarts pods',
    values: { webhook: { podAnnotations: { 'checksum/config': 'x' } } },
    says: 'webhook.podAnnotations has checksum/config',
  },
  {
    what: 'an address where a name is needed',
    values: { issuerURL: 'https://10.0.0.5:9170/t/acme-corp/api/v1' },
    says: 'issuerURL has an IP address as its host',
  },
  {
    what: 'more agents than a ConfigMap has room for',
    values: {
      agents: Array.from({ length: 1_500 }, (_, index) => ({
        ...agent,
        name: `agent-${String(index)}`,
        grants: [
          { scopes: Array.from({ length: 40 }, (_, scope) => `scope-number-${String(scope)}`) },
        ],
      })),
    },
    says: 'agents are too long for a ConfigMap',
  },
  {
    what: 'two writers of one file',
    values: { authority: { replicas: 2 } },
    says: 'authority.replicas is more than 1: SQLite has one writer',
  },
  {
    what: 'a volume beside a database',
    values: { authority: { postgresql: { secretName: 'database' }, persistence: { size: '5Gi' } } },
    says: 'authority.persistence.size and storageClass would have no effect',
  },
  {
    what: 'a class of volumes beside a database',
    values: {
      authority: { postgresql: { secretName: 'database' }, persistence: { storageClass: 'fast' } },
    },
    says: 'authority.persistence.size and storageClass would have no effect',
  },
  {
    what: 'a way to no database',
    values: { networkPolicy: { postgresqlCIDRs: ['192.0.2.0/24'] } },
    says: 'networkPolicy.postgresqlCIDRs would have no effect',
  },
  {
    what: 'two kinds of brokers for pods of mode node',
    values: { authority: { allInOne: true }, node: { enabled: true } },
    says: 'authority.allInOne serves pods of mode node, and so does node.enabled',
  },
  ...[{ allInOne: true }, { postgresql: { secretName: 'database' } }].map((shape) => ({
    what: `a shape of the authority without it: ${Object.keys(shape).join()}`,
    values: { issuerURL, authority: { enabled: false, ...shape } },
    says: 'and authority.enabled is false: leave one of the two out',
  })),
  {
    what: 'a test as nobody',
    values: { helmTest: { agent: 'nobody' } },
    says: 'no entry of agents has that name',
  },
  {
    what: 'a test without the webhook',
    values: { ...tested({}), webhook: { enabled: false }, certificates: certManager },
    says: 'helmTest.agent starts a labelled pod, and webhook.enabled is false',
  },
  {
    what: 'a test as many',
    values: tested({ serviceAccount: 'agent-*' }),
    says: 'has to name one namespace and one service account',
  },
  {
    what: 'a test where no broker is put into pods',
    values: tested({ namespace: 'lumo-system' }),
    says: 'where no broker is put into pods',
  },
]

test.each(contradictions)('refused with a sentence: $what', ({ values, says }) => {
  const { ok, text } = template(values)
  expect(ok).toBe(false)
  expect(text).toContain(says)
})

/** Values that the schema refuses, with the places that it names: all that is wrong, at once. */
const malformed: readonly (readonly [values: Values, says: readonly string[]])[] = [
  [
    {
      networkPolicy: { apiServerPorts: null },
      global: null,
      tennant: 'acme-corp',
      fullnameOverride: 'a'.repeat(43),
      image: { digest: 'sha256:abc', pullPolicy: 'Sometimes' },
      authority: { replica: 2, persistence: { size: 5 }, caBundle: 'certificate' },
      webhook: { replicas: 0, defaultMode: 'daemon', apiServerCIDRs: [10] },
      node: { enabled: 'yes' },
      sidecar: { image: 'mine' },
      certificates: { source: 'vault' },
      agents: [{ name: 'a' }, { ...agent, scope: ['a'] }, agentIn({ serviceaccount: 'a' })],
    },
    [
      "at '': missing property 'global'",
      "at '/networkPolicy': missing property 'apiServerPorts'",
      "at '': additional properties 'tennant' not allowed",
      "at '/fullnameOverride'",
      "at '/image/digest'",
      "at '/image/pullPolicy'",
      "at '/authority': additional properties 'replica' not allowed",
      "at '/authority/persistence/size'",
      "at '/authority/caBundle'",
      "at '/webhook/replicas'",
      "at '/webhook/defaultMode'",
      "at '/webhook/apiServerCIDRs/0'",
      "at '/node/enabled'",
      "at '/sidecar': additional properties 'image' not allowed",
      "at '/certificates/source'",
      "at '/agents/0': missing property 'proof'",
      "at '/agents/1': additional properties 'scope' not allowed",
      "at '/agents/2/proof': additional properties 'serviceaccount' not allowed",
    ],
  ],
  [
    {
      issuerURL: 8,
      tenant: 7,
      webhook: { extraEnv: [{ nmae: 'TZ' }], port: 443 },
      networkPolicy: {
        apiServerPorts: [],
        postgresqlCIDRs: '10.0.0.0/8',
      },
      sidecar: {
        resources: {
          requests: { cpu: 'lots', memroy: '64Mi' },
          limits: { memory: '128 Mi', cpu: -1 },
        },
      },
      authority: {
        replicas: 0,
        dnsNames: ['a'.repeat(254)],
        extraProviders: [{ name: 'other', kind: 'oidc', issuer: 'https://issuer.example.com' }],
        extraConfig: {
          athority: {},
          log: { levle: 'debug', level: 'verbose' },
          authority: { limits: { clientPerMinuet: 7 }, audit: 'no' },
        },
        allInOne: 'yes',
        postgresql: { secretName: 'Data Base', key: '../url', port: 0, url: 'postgres://' },
      },
      commonLabels: { 'app.kubernetes.io/name': 'mine' },
      node: { podLabels: { 'lumoauth.dev/inject': 'true', team: 'a b' } },
    },
    [
      "at '/networkPolicy/postgresqlCIDRs'",
      "at '/sidecar/resources/requests/cpu'",
      "invalid propertyName 'memroy'",
      "at '/sidecar/resources/limits/memory'",
      "at '/sidecar/resources/limits/cpu'",
      "at '/authority/dnsNames/0'",
      "at '/authority/extraProviders/0': additional properties 'issuer' not allowed",
      "at '/authority/extraConfig': additional properties 'athority' not allowed",
      "at '/authority/extraConfig/log/level'",
      "at '/authority/extraConfig/log': additional properties 'levle' not allowed",
      "at '/authority/extraConfig/authority/limits': additional properties 'clientPerMinuet' not allowed",
      "at '/authority/extraConfig/authority/audit'",
      "at '/authority/replicas'",
      "at '/authority/allInOne'",
      "at '/authority/postgresql': additional properties 'url' not allowed",
      "at '/authority/postgresql/secretName'",
      "at '/authority/postgresql/key'",
      "at '/authority/postgresql/port'",
      "invalid propertyName 'app.kubernetes.io/name'",
      "invalid propertyName 'lumoauth.dev/inject'",
      "at '/node/podLabels/team'",
      "at '/issuerURL'",
      "at '/tenant'",
      "at '/webhook/extraEnv/0'",
      "at '/webhook/port'",
      "at '/networkPolicy/apiServerPorts'",
    ],
  ],
]

test.each(malformed)('refused by the schema, with every place: %#', (values, says) => {
  const { ok, text } = template(values)
  expect(ok).toBe(false)
  for (const place of says) expect(text).toContain(place)
})

test('refused on a Kubernetes that is too old', () => {
  const { ok, text } = template({}, { kubeVersion: '1.29.9' })
  expect(ok).toBe(false)
  expect(text).toContain('>=1.30.0-0')
})
