import assert from 'node:assert/strict'
import { CHART_DEMO, CHART_SYSTEM, FULLNAME, plainPod, stays, tryApply } from '../../chart.ts'
import { until, type Case } from '../../world.ts'

/** Who is no agent gets nothing, and reads why; so does whoever misspells an annotation. */
export const chartRefusals: Case = {
  name: 'chart refusals',
  async run({ cluster }) {
    await cluster.apply(plainPod('stranger', { script: stays, serviceAccount: 'stranger' }))
    const told = await until('the stranger to be told', async () => {
      const text = await cluster.kubectl('-n', CHART_DEMO, 'describe', 'pod', 'stranger')
      return /the authority refuses a token to this workload/.test(text) ? text : undefined
    })
    assert.match(told, /does its trust policy have an agent/)
    const log = await cluster.kubectl('-n', CHART_SYSTEM, 'logs', `${FULLNAME}-authority-0`)
    assert.match(log, /stranger/)
    const annotations = { 'lumoauth.dev/container': 'app' }
    const { code, stderr } = await tryApply(
      cluster,
      plainPod('misspelt', { script: stays, annotations }),
    )
    assert.equal(code, 1)
    assert.match(stderr, /lumoauth\.dev\/containers/)
    const hostNetwork = plainPod('host', { script: stays })
    const onHost = {
      ...hostNetwork,
      spec: { ...(hostNetwork['spec'] as object), hostNetwork: true },
    }
    const refused = await tryApply(cluster, onHost)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /host ?network/i)
  },
}
