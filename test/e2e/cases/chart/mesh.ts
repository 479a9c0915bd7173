import assert from 'node:assert/strict'
import { CHART_DEMO, plainPod, plainSpec, said, stays, type PodObject } from '../../chart.ts'
import type { Case } from '../../world.ts'

/** A mesh whose proxy opens the way to the authority: the broker starts behind it, and the pod is not locked. */
export const chartMesh: Case = {
  name: 'chart mesh',
  async run({ cluster }) {
    const pod = plainPod('meshed', { script: stays })
    const { containers, ...rest } = pod['spec'] as ReturnType<typeof plainSpec>
    const [app] = containers
    const proxy = {
      ...app,
      name: 'istio-proxy',
      restartPolicy: 'Always',
      command: [
        'node',
        '-e',
        'setTimeout(() => require("fs").writeFileSync("/tmp/open", ""), 3000);setInterval(() => {}, 60000)',
      ],
      startupProbe: {
        exec: { command: ['node', '-e', 'require("fs").accessSync("/tmp/open")'] },
        periodSeconds: 1,
        failureThreshold: 60,
      },
    }
    await cluster.apply({
      ...pod,
      spec: { ...rest, containers, initContainers: [proxy] },
    })
    assert.equal((await said(cluster, 'meshed')).trim(), '200 agent:self')
    const { spec } = (await cluster.get('pod', 'meshed', CHART_DEMO)) as PodObject
    assert.deepEqual(
      spec.initContainers?.map(({ name }) => name),
      ['istio-proxy', 'lumo-broker'],
    )
  },
}
