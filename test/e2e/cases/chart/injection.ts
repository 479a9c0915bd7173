import assert from 'node:assert/strict'
import { CHART_DEMO, plainPod, said, stays, type PodObject } from '../../chart.ts'
import type { Case } from '../../world.ts'

/** A labelled pod has tokens, and an unlabelled one is left as it is. */
export const chartInjection: Case = {
  name: 'chart injection',
  async run({ cluster }) {
    await cluster.apply(
      plainPod('labelled', { script: stays }),
      plainPod('unlabelled', { script: stays, labelled: false }),
    )
    assert.equal((await said(cluster, 'labelled')).trim(), '200 agent:self')
    const left = (await cluster.get('pod', 'unlabelled', CHART_DEMO)) as PodObject
    assert.equal(left.spec.initContainers, undefined)
    assert.deepEqual(
      left.spec.containers.map(({ name, env }) => [name, env]),
      [['app', undefined]],
    )
  },
}
