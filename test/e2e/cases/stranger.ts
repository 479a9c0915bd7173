import assert from 'node:assert/strict'
import { AUTHORITY_POD, SYSTEM } from '../authority.ts'
import { agentPod, DEMO, podOf, SIDECAR, untilLogged } from '../pods.ts'
import { terminationMessage } from '../termination.ts'
import type { Case } from '../world.ts'

const NAME = 'stranger'

/** A service account that no agent names gets nothing, and the operator learns why. */
export const stranger: Case = {
  name: 'stranger',
  async begin({ cluster }) {
    await cluster.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: DEMO } },
      await agentPod(NAME, { serviceAccount: NAME }),
    )
  },
  async run({ cluster }) {
    const message = await terminationMessage(cluster, NAME)
    assert.match(message, /refuses a token to this workload .*trust policy/)
    await untilLogged(
      cluster,
      [SYSTEM, AUTHORITY_POD, 'authority'],
      /"reason":"unmatched".*system:serviceaccount:demo:stranger/,
    )
    const { status } = await podOf(cluster, NAME)
    const [app] = status.containerStatuses ?? []
    assert.equal(app?.state.waiting?.reason, 'PodInitializing')
    assert.equal(app?.restartCount, 0)
    const log = await cluster.kubectl('-n', DEMO, 'logs', NAME, '-c', SIDECAR)
    assert.ok(!log.includes('eyJ'), 'the log holds no token')
  },
}
