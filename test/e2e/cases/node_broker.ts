import assert from 'node:assert/strict'
import { SYSTEM } from '../authority.ts'
import type { Cluster } from '../cluster.ts'
import { DEMO, inApp, podOf, type TokenBody } from '../pods.ts'
import { pageCommands } from '../readme.ts'
import { claimsOf } from '../verified.ts'
import { pasteInFolder, type Case } from '../world.ts'

export const NODE_BROKER = 'lumo-broker.lumo-system.svc'
const POD = 'hello-node'
const PROOF = '/var/run/secrets/lumoauth.dev/proof/token'

let printed = ''

/** The commands of docs/node-broker.md: a pod without a sidecar gets the token of its agent from the broker of its node. */
export const nodeBroker: Case = {
  name: 'node broker',
  async begin({ cluster }) {
    printed = await pasteInFolder(cluster, await pageCommands('docs/node-broker.md', 'By hand'))
  },
  async run({ cluster }) {
    const body = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as TokenBody
    const { sub } = await claimsOf(cluster, body.access_token, 'hello-agent')
    assert.equal(sub, 'agent:hello-agent')
  },
}

interface BrokerPod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly podIP: string }
}

async function brokers(cluster: Cluster): Promise<readonly BrokerPod[]> {
  const selector = ['-l', 'app.kubernetes.io/name=lumo-node-broker', '-o', 'json']
  const text = await cluster.kubectl('-n', SYSTEM, 'get', 'pods', ...selector)
  return (JSON.parse(text) as { readonly items: readonly BrokerPod[] }).items
}

/** What a broker at an address says to the pod that shows this. The name of the Service is used, so that it is not the Host that refuses. */
function saidBy(cluster: Cluster, address: string, authorization: string): Promise<unknown> {
  const script = `
const proof = require('fs').readFileSync('${PROOF}', 'utf8').trim()
const headers = { Host: '${NODE_BROKER}:9180', 'Lumo-Broker': 'true', ...${authorization} }
require('https').get({ host: '${address}', port: 9180, path: '/v1/token', servername: '${NODE_BROKER}', headers }, (r) => {
  let text = ''
  r.on('data', (part) => (text += part)).on('end', () => console.log(JSON.stringify([r.statusCode, JSON.parse(text).code ?? 'token'])))
})`
  return inApp(cluster, POD, script)
}

/** Every pod can reach the address of every broker. The claim that names the node is what keeps them apart. */
export const otherNode: Case = {
  name: 'broker of another node',
  async run({ cluster }) {
    const { spec } = await podOf(cluster, POD)
    const all = await brokers(cluster)
    const own = all.find(({ spec: { nodeName } }) => nodeName === spec.nodeName)
    const other = all.find(({ spec: { nodeName } }) => nodeName !== spec.nodeName)
    assert.ok(own && other, 'brokers run on two nodes')
    const bearer = `{ Authorization: 'Bearer ' + proof }`
    assert.deepEqual(await saidBy(cluster, own.status.podIP, bearer), [200, 'token'])
    const at = other.status.podIP
    assert.deepEqual(await saidBy(cluster, at, bearer), [403, 'caller_elsewhere'])
    assert.deepEqual(await saidBy(cluster, at, '{}'), [401, 'caller_missing'])
    const broken = `{ Authorization: 'Bearer ' + proof.slice(0, -8) + 'AAAAAAAA' }`
    assert.deepEqual(await saidBy(cluster, at, broken), [401, 'caller_unproven'])
    const { status } = await podOf(cluster, POD)
    assert.equal(status.containerStatuses?.length, 1, `${POD} in ${DEMO} has no sidecar`)
  },
}
