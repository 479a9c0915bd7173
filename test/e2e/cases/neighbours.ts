import assert from 'node:assert/strict'
import { parse, stringify } from 'yaml'
import { SYSTEM } from '../authority.ts'
import type { Cluster, Manifest } from '../cluster.ts'
import { DEMO, inApp, nodePod, podOf, untilReady } from '../pods.ts'
import { proofToken } from '../proof_tokens.ts'
import { claimsOf } from '../verified.ts'
import { until, type Case } from '../world.ts'
import { NODE_BROKER } from './node_broker.ts'

/** The pod of docs/node-broker.md, and one of another agent on its node. */
const POD = 'hello-node'
const NEIGHBOUR = 'neighbour'
const AUDIENCE = 'https://lumo-authority.lumo-system.svc:9170/t/acme-corp/api/v1#this-cluster'
const SLEEP = 'setInterval(() => {}, 60000)'

/** Two agents share the broker of their node, and each gets its own token and nothing of the other's. */
export const neighbours: Case = {
  name: 'neighbours on a node',
  async begin({ cluster }) {
    await allow(cluster)
    const { spec } = await podOf(cluster, POD)
    await cluster.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NEIGHBOUR, namespace: DEMO } },
      onNode(await nodePod(NEIGHBOUR, SLEEP), spec.nodeName),
    )
  },
  async run({ cluster }) {
    await untilReady(cluster, NEIGHBOUR)
    const [first, second] = await Promise.all([podOf(cluster, POD), podOf(cluster, NEIGHBOUR)])
    assert.equal(first.spec.nodeName, second.spec.nodeName, 'they share a node')
    // The authority follows its policy, which the kubelet brings within two minutes.
    const own = await until('a token of the second agent', () => tokenOf(cluster, NEIGHBOUR))
    const others = await tokenOf(cluster, POD)
    assert.equal((await claimsOf(cluster, own, NEIGHBOUR)).sub, `agent:${NEIGHBOUR}`)
    assert.equal((await claimsOf(cluster, others ?? '', 'hello-agent')).sub, 'agent:hello-agent')
    for (const { name, audiences, bound, outcome } of shown) {
      const to = bound ? ({ kind: 'Pod', name: NEIGHBOUR } as const) : undefined
      const token = await proofToken(cluster, NEIGHBOUR, audiences, to)
      assert.deepEqual(await statusOf(cluster, token), outcome, name)
    }
    const log = await cluster.kubectl(
      '-n',
      SYSTEM,
      'logs',
      '--selector=app.kubernetes.io/name=lumo-node-broker',
      '--tail=-1',
    )
    assert.match(log, /caller\.refused/)
    assert.ok(!log.includes('eyJ'), 'the log holds no token')
  },
}

interface Shown {
  readonly name: string
  readonly audiences: readonly string[]
  readonly bound: boolean
  readonly outcome: readonly [status: number, code: string]
}

/** Tokens of the API server that are not, or not only, the pod's own for the authority. */
const shown: readonly Shown[] = [
  { name: 'as the kubelet makes it', audiences: [AUDIENCE], bound: true, outcome: [200, 'token'] },
  {
    name: 'for another audience',
    audiences: ['https://elsewhere.example'],
    bound: true,
    outcome: [401, 'caller_unproven'],
  },
  {
    name: 'for two audiences',
    audiences: [AUDIENCE, 'https://elsewhere.example'],
    bound: true,
    outcome: [401, 'caller_unproven'],
  },
  {
    name: 'for the API server',
    audiences: [],
    bound: true,
    outcome: [401, 'caller_unproven'],
  },
  {
    name: 'bound to no pod',
    audiences: [AUDIENCE],
    bound: false,
    outcome: [403, 'caller_not_pod'],
  },
]

/** The request of docs/node-broker.md with the pod's own token, or with another. */
function ask(cluster: Cluster, pod: string, token: string, shownAs: string): Promise<unknown> {
  return inApp(
    cluster,
    pod,
    `fetch('https://${NODE_BROKER}:9180/v1/token', { headers: { 'Lumo-Broker': 'true', Authorization: 'Bearer ' + ${token} } })
      .then(async (r) => [r.status, await r.json()])
      .then(([status, body]) => console.log(JSON.stringify(${shownAs})))`,
  )
}

async function tokenOf(cluster: Cluster, pod: string): Promise<string | undefined> {
  const own = `fs.readFileSync('/var/run/secrets/lumoauth.dev/proof/token', 'utf8')`
  return ((await ask(cluster, pod, own, 'body.access_token ?? null')) as string | null) ?? undefined
}

function statusOf(cluster: Cluster, token: string): Promise<unknown> {
  const answer = `[status, body.code ?? 'token']`
  return ask(cluster, POD, JSON.stringify(token), answer)
}

function onNode(pod: Manifest, node: string): Manifest {
  const spec = pod['spec'] as object
  const nodeSelector = { 'kubernetes.io/hostname': node }
  return { ...pod, spec: { ...spec, serviceAccountName: NEIGHBOUR, nodeSelector } }
}

/** Adds the second agent to the policy of deploy/by-hand/authority.yaml, as the cluster has it. */
async function allow(cluster: Cluster): Promise<void> {
  const map = (await cluster.get('configmap', 'lumo-policy', SYSTEM)) as {
    readonly data: { readonly 'policy.yaml': string }
  }
  const { agents } = parse(map.data['policy.yaml']) as { agents: { readonly name: string }[] }
  if (agents.some(({ name }) => name === NEIGHBOUR)) return
  const proof = { provider: 'this-cluster', namespace: DEMO, serviceAccount: NEIGHBOUR }
  const more = { name: NEIGHBOUR, proof, grants: [{ scopes: ['agent:self'] }] }
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'lumo-policy', namespace: SYSTEM },
    data: { 'policy.yaml': stringify({ agents: [...agents, more] }) },
  })
}
