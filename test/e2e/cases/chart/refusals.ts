import assert from 'node:assert/strict'
import {
  CHART_DEMO,
  CHART_SYSTEM,
  FULLNAME,
  helm,
  installing,
  plainPod,
  said,
  stays,
  tryApply,
} from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { until, type Case } from '../../world.ts'

const WEBHOOK = `${FULLNAME}.${CHART_SYSTEM}`

/** What the notes of the release say to ask, of the stranger. */
function explained(cluster: Cluster): Promise<string> {
  const issuer = `https://${FULLNAME}-authority.${CHART_SYSTEM}.svc:9170/t/acme-corp/api/v1`
  return cluster.paste(
    `{ kubectl --namespace ${CHART_DEMO} create token stranger --bound-object-kind Pod --bound-object-name stranger \\
      --audience '${issuer}#this-cluster' |
      kubectl --namespace ${CHART_SYSTEM} exec -i statefulset/${FULLNAME}-authority -- \\
      lumo-broker explain --config /etc/lumo/config/config.yaml --proof -; } || true`,
    '/',
  )
}

/** Who is no agent gets nothing, and reads why; so does whoever misspells an annotation. */
export const chartRefusals: Case = {
  name: 'chart refusals',
  async run({ cluster }) {
    await cluster.apply(plainPod('stranger', { script: stays, serviceAccount: 'stranger' }))
    const told = await until('the stranger to be told', async () => {
      const text = await cluster.kubectl('-n', CHART_DEMO, 'describe', 'pod', 'stranger')
      return /the authority refuses a token to this workload/.test(text) ? text : undefined
    })
    assert.match(told, /It is system:serviceaccount:chart-demo:stranger of https:/)
    assert.match(told, /Does the trust policy have an agent/)
    const log = await cluster.kubectl('-n', CHART_SYSTEM, 'logs', `${FULLNAME}-authority-0`)
    assert.match(log, /stranger/)
    assert.match(
      await explained(cluster),
      /agent chart-agent: does not fit: serviceAccount must be/,
    )
    const annotations = { 'lumoauth.dev/container': 'app' }
    const { code, stderr } = await tryApply(
      cluster,
      plainPod('misspelt', { script: stays, annotations }),
    )
    assert.equal(code, 1)
    assert.match(stderr, /lumoauth\.dev\/containers/)
    const capital = plainPod('capital', { script: stays, labelled: false })
    const mistyped = { ...capital.metadata, labels: { 'lumoauth.dev/inject': 'True' } }
    const spelt = await tryApply(cluster, { ...capital, metadata: mistyped })
    assert.match(spelt.stderr, /has to be "true" or "false"/)
    const late = ['label', 'pod', 'unlabelled', 'lumoauth.dev/inject=true', '-n', CHART_DEMO]
    assert.match((await cluster.tryKubectl(late)).stderr, /got the label after it was made/)
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

/** The webhook's configuration is gone: the API server itself refuses labelled pods, until an upgrade brings it back. */
export const chartWithoutWebhook: Case = {
  name: 'chart without its webhook',
  async run({ cluster }) {
    await cluster.kubectl('delete', 'mutatingwebhookconfiguration', WEBHOOK)
    const { code, stderr } = await tryApply(cluster, plainPod('bare', { script: stays }))
    assert.equal(code, 1)
    assert.match(stderr, /no broker was put into it/)
    await helm(cluster, installing())
    await until('labelled pods to be admitted again', async () => {
      const again = await tryApply(cluster, plainPod('bare', { script: stays }))
      return again.code === 0 || undefined
    })
    assert.equal((await said(cluster, 'bare')).trim(), '200 agent:self')
  },
}
