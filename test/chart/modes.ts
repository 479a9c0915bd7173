import type { Values } from './chart.ts'

export const agent = {
  name: 'hello-agent',
  proof: { provider: 'this-cluster', namespace: 'demo', serviceAccount: 'hello-agent' },
  grants: [
    { scopes: ['agent:self'] },
    { target: 'https://docs.example.com', scopes: ['read:documents'] },
  ],
}

export const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const elsewhere = {
  issuerURL: 'https://auth.example.com:8443/t/acme-corp/api/v1',
  authority: { enabled: false, serverCA: pem },
  certificates: { source: 'cert-manager', issuerRef: { name: 'ca' } },
}

/** Every way to install the chart that differs in what is rendered. */
export const modes: Readonly<Record<string, Values>> = {
  'no values': {},
  'one agent and its test': {
    agents: [agent],
    helmTest: { agent: agent.name, audience: 'https://docs.example.com' },
  },
  'a broker on each node': {
    agents: [agent],
    node: { enabled: true },
    webhook: { defaultMode: 'node' },
  },
  'cert-manager': {
    node: { enabled: true },
    certificates: { source: 'cert-manager', issuerRef: { name: 'ca', kind: 'ClusterIssuer' } },
  },
  'an authority elsewhere': { ...elsewhere, node: { enabled: true } },
  'an authority elsewhere with a CA of its own, and own certificates': {
    issuerURL: elsewhere.issuerURL,
    authority: elsewhere.authority,
  },
  'an authority elsewhere that every system trusts': {
    issuerURL: elsewhere.issuerURL,
    authority: { enabled: false },
  },
  'an authority alone': {
    webhook: { enabled: false },
    certificates: { source: 'cert-manager', issuerRef: { name: 'ca' } },
  },
  'node brokers alone': {
    issuerURL: elsewhere.issuerURL,
    authority: { enabled: false },
    webhook: { enabled: false },
    node: { enabled: true, proxy: { url: 'http://proxy.example.com:3128' } },
    certificates: elsewhere.certificates,
  },
  'no trace after uninstall': { authority: { persistence: { keep: false } } },
  'all in one': {
    agents: [agent],
    authority: { allInOne: true },
    webhook: { defaultMode: 'node' },
  },
  PostgreSQL: {
    authority: { postgresql: { secretName: 'lumo-database', port: 6432 }, replicas: 3 },
    networkPolicy: { postgresqlCIDRs: ['192.0.2.64/28'] },
  },
  'all in one, on PostgreSQL': {
    authority: {
      allInOne: true,
      postgresql: { secretName: 'lumo-database' },
      persistence: { keep: false },
    },
  },
  'keys by discovery': {
    cluster: { issuer: 'https://oidc.example.com:8446/id/1', keys: { discovery: true } },
    authority: {
      extraProviders: [
        { name: 'ci', kind: 'oidc', issuers: ['https://ci.example.com'] },
        {
          name: 'aws',
          kind: 'aws',
          form: 'signed-request',
          accounts: ['123456789012'],
          regions: ['eu-central-1'],
          stsEndpoint: 'https://sts.example.com:8447/',
        },
      ],
    },
    node: { enabled: true },
  },
  'host network': { webhook: { hostNetwork: true, port: 10443 } },
  everything: {
    tenant: 'big-corp',
    issuerURL: 'https://auth.example.com/t/big-corp/api/v1',
    clusterName: 'prod',
    commonLabels: { 'corp.example/owner': 'identity', team: 'a', release: '1e3' },
    proofAudience: 'lumo-proof',
    cluster: {
      issuer: 'https://oidc.example.com/id/1',
      keys: { jwksUrl: 'https://keys.example.com:8443/keys' },
      tokenReview: 'required',
      domain: 'corp.local',
    },
    agents: [{ ...agent, proof: { ...agent.proof, provider: 'prod' } }],
    clients: [{ id: 'reporter', secretHashes: [`sha256:${'A'.repeat(43)}`] }],
    global: { imageRegistry: 'registry.example.com', imagePullSecrets: ['shared'] },
    image: { tag: '9.9.9', digest: `sha256:${'0'.repeat(64)}`, pullSecrets: ['own'] },
    authority: {
      persistence: { size: '5Gi', storageClass: 'fast' },
      dnsNames: ['auth.internal'],
      extraProviders: [
        {
          name: 'other',
          kind: 'oidc',
          issuers: ['https://issuer.example.com:8444'],
          keys: { jwksUrl: 'https://keys.example.com:8445/keys' },
          audiences: ['lumo'],
        },
      ],
      extraEnv: [{ name: 'TZ', value: 'UTC' }],
      extraConfig: { log: { level: 'debug' }, authority: { limits: { clientPerMinute: 7 } } },
      priorityClassName: 'high',
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
      nodeSelector: { pool: 'system' },
      tolerations: [{ operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      podAnnotations: { note: 'a' },
      podLabels: { team: 'b' },
      proxy: { url: 'http://proxy.example.com:3128', noProxy: ['.corp.example.com'] },
      caBundle: pem,
    },
    webhook: {
      replicas: 3,
      apiServerCIDRs: ['10.0.0.0/28'],
      meshProxies: ['my-proxy'],
      extraConfig: { webhook: { drainDelay: 3 } },
      podLabels: { team: 'b' },
    },
    node: {
      enabled: true,
      proxy: { url: 'http://proxy.example.com:3128' },
      caBundle: pem,
      tolerations: [{ operator: 'Exists' }],
      extraConfig: { broker: { maxEntries: 50 } },
    },
    sidecar: { logLevel: 'warn', imagePullSecrets: ['in-the-namespaces'] },
    networkPolicy: {
      apiServerPorts: [6443],
      authorityCIDRs: ['192.0.2.0/24'],
      metricsNamespaces: ['monitoring'],
      extraEgress: [{ to: [{ ipBlock: { cidr: '198.51.100.7/32' } }] }],
    },
    metrics: {
      podMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
      dashboard: { enabled: true },
    },
    helmTest: { agent: agent.name },
  },
}

/** The names of the modes, as a table of cases. */
export const modeNames = Object.keys(modes)

/** The values of a mode. */
export function modeOf(name: string): Values {
  const values = modes[name]
  if (!values) throw new Error(`there is no mode ${name}`)
  return values
}
