import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { helmBinary } from '../chart/helm_binary.ts'
import { APP_IMAGE, type Cluster, type Manifest } from './cluster.ts'
import { actingAgents, notebook } from './registrations.ts'
import { shell, type ShellResult } from './shell.ts'
import { until } from './world.ts'

/** Where the README has the chart installed, and under which name. Its Services, Secrets and so on are named after the release. */
export const CHART_SYSTEM = 'lumo-system'
export const FULLNAME = 'lumo-broker'
/** A namespace of users, with a quota. */
export const CHART_DEMO = 'chart-demo'

const CHART = fileURLToPath(new URL('../../charts/lumo-broker', import.meta.url))
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' }

const chartAgent = {
  name: 'chart-agent',
  proof: { provider: 'this-cluster', namespace: CHART_DEMO, serviceAccount: 'chart-agent' },
  grants: [
    { scopes: ['agent:self'] },
    { target: 'https://docs.example.com', scopes: ['read:documents'] },
  ],
}

const readmeValues = parse(
  readFileSync(new URL('../../deploy/kind/values.yaml', import.meta.url), 'utf8'),
) as { readonly agents: readonly object[] }

/** The values of the README, and more agents, and a client that people sign in to. */
export const values = {
  ...readmeValues,
  agents: [...readmeValues.agents, chartAgent, ...actingAgents(CHART_DEMO)],
  clients: [notebook],
}

/** Runs helm with values on its standard input; what it prints. */
export function helm(
  cluster: Cluster,
  args: readonly string[],
  given: object = values,
): Promise<string> {
  return shell(
    [helmBinary(), '--kubeconfig', cluster.kubeconfig, '--namespace', CHART_SYSTEM, ...args],
    {
      input: stringify(given),
      timeoutMs: 600_000,
    },
  )
}

/** The arguments of an installation or an upgrade. */
export function installing(...more: readonly string[]): readonly string[] {
  return [
    'upgrade',
    '--install',
    FULLNAME,
    CHART,
    '--values',
    '-',
    '--wait',
    '--timeout',
    '5m',
    ...more,
  ]
}

/** The arguments of a second release, that is only tried. */
export const tryingAnother: readonly string[] = [
  'install',
  'second',
  CHART,
  '--values',
  '-',
  '--dry-run=server',
]

/**
 * Namespaces where Pod Security `restricted` is enforced. That of the users has a quota, on limits of the processor too, and defaults
 * for what containers leave out.
 */
export async function prepareNamespaces(cluster: Cluster): Promise<void> {
  const inDemo = (name: string) => ({ name, namespace: CHART_DEMO })
  const account = (name: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: inDemo(name),
    automountServiceAccountToken: false,
  })
  await cluster.apply(
    ...[CHART_SYSTEM, CHART_DEMO].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: RESTRICTED },
    })),
    account('chart-agent'),
    account('stranger'),
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: inDemo('quota'),
      spec: {
        hard: {
          'requests.cpu': '2',
          'requests.memory': '6Gi',
          'limits.cpu': '40',
          'limits.memory': '12Gi',
          pods: '50',
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: inDemo('limits'),
      spec: {
        limits: [
          {
            type: 'Container',
            min: { memory: '16Mi' },
            max: { memory: '512Mi' },
            defaultRequest: { cpu: '10m', memory: '64Mi' },
            default: { cpu: '500m', memory: '128Mi' },
          },
        ],
      },
    },
  )
}

export interface PodWish {
  readonly script: string
  readonly serviceAccount?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly labelled?: boolean
}

/** The spec of an ordinary pod that knows nothing of the broker. */
export function plainSpec({ script, serviceAccount = 'chart-agent' }: PodWish) {
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'app',
        image: APP_IMAGE,
        command: ['node', '-e', script],
        resources: { requests: { cpu: '5m', memory: '48Mi' }, limits: { memory: '128Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  }
}

export function metadataOf(name: string, { annotations = {}, labelled = true }: PodWish) {
  return {
    name,
    namespace: CHART_DEMO,
    annotations,
    labels: labelled ? { 'lumoauth.dev/inject': 'true' } : {},
  }
}

export function plainPod(name: string, wish: PodWish): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadataOf(name, wish),
    spec: plainSpec(wish),
  }
}

/** What the API server says to a pod. */
export function tryApply(cluster: Cluster, manifest: Manifest): Promise<ShellResult> {
  return cluster.tryKubectl(['apply', '-f', '-'], stringify(manifest))
}

/** Code as an OAuth client is written that was pointed at LumoAuth and knows no broker. */
export const formLogin = `
const { LUMOAUTH_URL: url, LUMOAUTH_ORG_ID: org, AGENT_CLIENT_ID: id, AGENT_CLIENT_SECRET: secret } = process.env
const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret })
fetch(url + '/orgs/' + org + '/api/v1/oauth/token', { method: 'POST', body })
  .then(async (answer) => console.log(answer.status, (await answer.json()).scope ?? 'nothing'))`

export const stays = `${formLogin};setInterval(() => {}, 60000)`

/** A pod as the API server has it, as far as tests look. */
export interface PodObject {
  readonly spec: {
    readonly initContainers?: readonly { readonly name: string }[]
    readonly containers: readonly { readonly name: string; readonly env?: unknown }[]
  }
}

export function logOf(cluster: Cluster, pod: string): Promise<string> {
  return cluster.kubectl('-n', CHART_DEMO, 'logs', pod, '-c', 'app')
}

/** Waits until the application has said something. */
export function said(cluster: Cluster, pod: string): Promise<string> {
  return until(`${pod} to say something`, async () => (await logOf(cluster, pod)) || undefined)
}
