import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { CHART_SYSTEM, helm, installing, values, type PodObject } from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { DEMO, untilLogged } from '../../pods.ts'
import { until, type Case } from '../../world.ts'

async function applyExample(cluster: Cluster, name: string): Promise<void> {
  const file = new URL(`../../../../deploy/examples/${name}.yaml`, import.meta.url)
  const { code, stderr } = await cluster.tryKubectl(
    ['apply', '-f', '-'],
    await readFile(file, 'utf8'),
  )
  assert.equal(code, 0, stderr)
}

async function ended(cluster: Cluster, job: string): Promise<string> {
  await cluster.kubectl(
    '-n',
    DEMO,
    'wait',
    '--for=condition=complete',
    `job/${job}`,
    '--timeout=180s',
  )
  return cluster.kubectl('-n', DEMO, 'logs', `job/${job}`, '-c', 'app')
}

/** The examples of `deploy/examples/`: a Job and a run of a CronJob end although their sidecars would stay. */
export const chartJobs: Case = {
  name: 'chart jobs',
  async run({ cluster }) {
    await applyExample(cluster, 'job')
    await applyExample(cluster, 'cronjob')
    await cluster.kubectl('-n', DEMO, 'create', 'job', 'now', '--from=cronjob/hello-cron')
    assert.equal((await ended(cluster, 'hello-job')).trim(), '200 agent:self')
    assert.equal((await ended(cluster, 'now')).trim(), '200 agent:self')
    await cluster.kubectl('-n', DEMO, 'delete', 'cronjob', 'hello-cron')
  },
}

/** Annotations narrow, and a pod that does not wait starts at once. */
export const chartStatefulSet: Case = {
  name: 'chart statefulset',
  async run({ cluster }) {
    await applyExample(cluster, 'statefulset')
    await cluster.kubectl(
      '-n',
      DEMO,
      'rollout',
      'status',
      'statefulset/hello-set',
      '--timeout=180s',
    )
    await untilLogged(cluster, [DEMO, 'hello-set-1', 'app'], /^200 read:documents$/m)
    const outside = `fetch(process.env.LUMOAUTH_URL + '/v1/token?audience=https://other.example.com', { headers: { 'Lumo-Broker': 'true' } })
      .then(async (answer) => console.log(answer.status, (await answer.json()).code))`
    const refused = await cluster.exec(DEMO, 'hello-set-1', 'app', ['node', '-e', outside])
    assert.match(refused, /^40[03] /)
    await cluster.kubectl('-n', DEMO, 'delete', 'statefulset', 'hello-set')
  },
}

/** Without a sidecar: the pod shows its token to the broker of its node. */
export const chartNode: Case = {
  name: 'chart node',
  run: ({ cluster }) => getsTokenOfNode(cluster, 'lumo-broker-node'),
}

/** The same at the authority, in a cluster that is too small for a broker on each node. */
export const chartAllInOne: Case = {
  name: 'chart all in one',
  async run({ cluster }) {
    await helm(cluster, installing(), { ...values, authority: { allInOne: true } })
    await untilFormerIsGone(cluster)
    await getsTokenOfNode(cluster, 'lumo-broker-authority')
    await cluster.kubectl('-n', DEMO, 'delete', 'pod', 'hello-of-node', '--now')
  },
}

/**
 * Until its pods are gone the former webhook may still be asked, over a connection that the API server keeps, and judges by
 * what it was installed with.
 */
async function untilFormerIsGone(cluster: Cluster): Promise<void> {
  const selected = ['-l', 'app.kubernetes.io/component=webhook', '-o', 'json']
  await until('the former webhook to be gone', async () => {
    const text = await cluster.kubectl('-n', CHART_SYSTEM, 'get', 'pods', ...selected)
    const { items } = JSON.parse(text) as {
      readonly items: readonly { readonly metadata: { readonly deletionTimestamp?: string } }[]
    }
    return items.every(({ metadata }) => metadata.deletionTimestamp === undefined) || undefined
  })
}

async function getsTokenOfNode(cluster: Cluster, service: string): Promise<void> {
  await applyExample(cluster, 'node')
  await until('the pod to have a token', async () => {
    const log = await cluster.kubectl('-n', DEMO, 'logs', 'hello-of-node', '-c', 'app')
    return log.startsWith('200') ? log : undefined
  })
  const { spec } = (await cluster.get('pod', 'hello-of-node', DEMO)) as PodObject
  assert.equal(spec.initContainers, undefined)
  assert.match(
    JSON.stringify(spec.containers),
    new RegExp(`https://${service}\\.lumo-system\\.svc:9180`),
  )
}
