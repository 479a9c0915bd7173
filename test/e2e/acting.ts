import { CHART_DEMO, CHART_SYSTEM, FULLNAME, metadataOf, plainSpec, type PodWish } from './chart.ts'
import type { Cluster, Manifest } from './cluster.ts'
import { documentsApi } from './documents_api.ts'
import { newPerson, operate, type Person } from './people.ts'
import { DEMO, untilReady } from './pods.ts'

/** An API that takes tokens of the chart's authority, and says what it was asked for and what the token says. */
const API = 'acting-api'
export const API_URL = `http://${API}.${DEMO}.svc:8080`
export const CHART_ISSUER = `https://${FULLNAME}-authority.${CHART_SYSTEM}.svc:9170/t/acme-corp/api/v1`
const CA = 'chart-authority-ca'

/** Begins the API; one that is there stays. */
export async function beginApi(cluster: Cluster): Promise<void> {
  const { data } = (await cluster.get('secret', `${FULLNAME}-ca`, CHART_SYSTEM)) as {
    readonly data: { readonly 'ca.crt': string }
  }
  await cluster.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: CA, namespace: DEMO },
      data: { 'ca.crt': Buffer.from(data['ca.crt'], 'base64').toString() },
    },
    ...(await documentsApi({ name: API, issuer: CHART_ISSUER, ca: CA })),
  )
}

export function apiReady(cluster: Cluster): Promise<void> {
  return untilReady(cluster, API)
}

/** Somebody who has signed in, and whom an operator let the first agent act for. */
export async function personOfOrchestrator(cluster: Cluster, name: string): Promise<Person> {
  await apiReady(cluster)
  const person = await newPerson(cluster, name, API)
  const allowed = ['--user', person.sub, '--agent', 'orchestrator', '--scope', 'read:documents']
  await operate(cluster, 'grants', 'add', ...allowed)
  return person
}

interface AgentWish extends PodWish {
  /** Where it serves, if it does. */
  readonly port?: number
}

/** An injected pod, with the account of its name unless it names another. */
export function agentOf(name: string, wish: AgentWish): readonly Manifest[] {
  const { serviceAccount = name, port } = wish
  const metadata = metadataOf(name, wish)
  const spec = plainSpec({ ...wish, serviceAccount })
  const probe = port !== undefined && {
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  }
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: serviceAccount, namespace: CHART_DEMO },
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels: { ...metadata.labels, app: name } } as Manifest['metadata'],
      spec: { ...spec, containers: spec.containers.map((app) => ({ ...app, ...probe })) },
    },
  ]
}

export async function agentsReady(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  const pods = names.map((name) => `pod/${name}`)
  const ready = ['wait', '--for=condition=Ready', ...pods, '--timeout=180s']
  await cluster.kubectl('-n', CHART_DEMO, ...ready)
}

export async function endAgents(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  await cluster.kubectl('-n', CHART_DEMO, 'delete', 'pod', ...names, '--now', '--wait=false')
}

/** Runs a script in an agent's own container, with the functions of `agentCode`; what it prints, as JSON. */
export async function asAgent(cluster: Cluster, name: string, script: string): Promise<unknown> {
  const command = ['node', '-e', `${agentCode}${script}`]
  return JSON.parse(await cluster.exec(CHART_DEMO, name, 'app', command))
}

/** How an agent speaks to the broker of its pod, and to whoever takes what it got. */
export const agentCode = `
const type = 'urn:ietf:params:oauth:token-type:access_token'
const broker = async (path, form) => {
  const answer = await fetch(process.env.LUMOAUTH_URL + path, {
    method: form ? 'POST' : 'GET', headers: { 'Lumo-Broker': 'true' }, body: form && new URLSearchParams(form) })
  return { status: answer.status, body: await answer.json() }
}
const shown = (token) => ({ subject_token: token, subject_token_type: type })
const call = async (url, token) => {
  const answer = await fetch(url, { headers: { authorization: 'Bearer ' + token } })
  return { status: answer.status, body: await answer.json() }
}
const print = (seen) => console.log(JSON.stringify(seen));
`
