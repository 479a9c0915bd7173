import assert from 'node:assert/strict'
import { AUTHORITY_POD, jwksOf, SYSTEM, untilAuthorityReady } from '../authority.ts'
import type { Cluster } from '../cluster.ts'
import {
  agentPod,
  callerLoop,
  DEMO,
  nodeCallerLoop,
  nodePod,
  tokenIn,
  untilReady,
} from '../pods.ts'
import { until, type Case } from '../world.ts'

const BESIDE = 'through-restart'
const ON_NODE = 'through-restart-node'
/** Calls in forty seconds. */
const AN_OUTAGE = 160

/** The authority goes and comes back under loops of callers that have a token, beside them and on their node: none fails, and its key is the same. */
export const authorityRestart: Case = {
  name: 'authority restart',
  async begin({ cluster }) {
    await cluster.apply(await agentPod(BESIDE, { script: callerLoop }))
    await cluster.apply(await nodePod(ON_NODE, nodeCallerLoop))
    for (const pod of [BESIDE, ON_NODE]) await untilReady(cluster, pod)
  },
  async run({ cluster }) {
    const keysBefore = await jwksOf(cluster)
    await untilCalls(cluster, 0)
    await cluster.kubectl('-n', SYSTEM, 'delete', 'pod', AUTHORITY_POD, '--force', '--wait=true')
    await untilAuthorityReady(cluster)
    await scaleTo(cluster, 0)
    await until('the authority to be gone', async () => {
      const pods = await cluster.kubectl('-n', SYSTEM, 'get', 'pods', '-o', 'name')
      return pods.includes(AUTHORITY_POD) ? undefined : true
    })
    await untilCalls(cluster, AN_OUTAGE)
    await scaleTo(cluster, 1)
    await untilAuthorityReady(cluster)
    assert.deepEqual(await jwksOf(cluster), keysBefore)
    // An exchange works again, for a target that is in no cache.
    await until('an exchange after the restart', async () => {
      const body = await tokenIn(cluster, BESIDE, '?audience=https://docs.example.com')
      return typeof body.access_token === 'string' ? body : undefined
    })
    for (const pod of [BESIDE, ON_NODE]) {
      assert.deepEqual((await appLog(cluster, pod)).match(/^FAILED.*$/gm), null, pod)
    }
  },
}

function scaleTo(cluster: Cluster, replicas: number): Promise<string> {
  return cluster.kubectl(
    '-n',
    SYSTEM,
    'scale',
    'statefulset/lumo-authority',
    `--replicas=${String(replicas)}`,
  )
}

/** Waits for so many more calls of both loops. */
async function untilCalls(cluster: Cluster, more: number): Promise<void> {
  for (const pod of [BESIDE, ON_NODE]) {
    const before = await calls(cluster, pod)
    await until(`calls of ${pod}`, async () =>
      (await calls(cluster, pod)) > before + more ? true : undefined,
    )
  }
}

async function calls(cluster: Cluster, pod: string): Promise<number> {
  return Number(
    (await appLog(cluster, pod))
      .match(/^calls (\d+)$/gm)
      ?.at(-1)
      ?.slice('calls '.length) ?? 0,
  )
}

function appLog(cluster: Cluster, pod: string): Promise<string> {
  return cluster.kubectl('-n', DEMO, 'logs', pod, '-c', 'app')
}
