import assert from 'node:assert/strict'
import {
  CHART_DEMO,
  CHART_SYSTEM,
  formLogin,
  FULLNAME,
  helm,
  installed,
  metadataOf,
  plainPod,
  plainSpec,
  prepareNamespaces,
  RELEASE,
  stays,
  tryApply,
  values,
} from '../chart.ts'
import type { Cluster } from '../cluster.ts'
import { until, type Case } from '../world.ts'

interface PodObject {
  readonly spec: {
    readonly initContainers?: readonly { readonly name: string }[]
    readonly containers: readonly { readonly name: string; readonly env?: unknown }[]
  }
}

function logOf(cluster: Cluster, pod: string): Promise<string> {
  return cluster.kubectl('-n', CHART_DEMO, 'logs', pod, '-c', 'app')
}

/** Waits until the application has said something. */
function said(cluster: Cluster, pod: string): Promise<string> {
  return until(`${pod} to say something`, async () => (await logOf(cluster, pod)) || undefined)
}

const REPLICAS = 20

const loop = `
setInterval(() => fetch(process.env.LUMOAUTH_URL + '/v1/token', { headers: { 'lumo-broker': 'true' } })
  .then((answer) => console.log(answer.status), () => console.log('no answer')), 1000)`

const nodeLogin = `
const { LUMOAUTH_URL: url, LUMOAUTH_TOKEN_FILE: file, LUMOAUTH_CA_FILE: trusted } = process.env
const ca = require('fs').readFileSync(trusted)
const headers = { 'lumo-broker': 'true', authorization: 'Bearer ' + require('fs').readFileSync(file, 'utf8').trim() }
require('https').get(url + '/v1/token', { headers, ca }, (answer) => console.log(answer.statusCode))
setInterval(() => {}, 60000)`

/** `helm install` with one agent is all that there is to do; then its own test. */
export const chartInstall: Case = {
  name: 'chart install',
  async run({ cluster }) {
    await prepareNamespaces(cluster)
    await helm(cluster, installed())
    const tested = await helm(cluster, ['test', RELEASE, '--timeout', '3m'])
    assert.match(tested, /Phase: +Succeeded/)
  },
}

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

/** A Job ends although its sidecar would stay. */
export const chartJob: Case = {
  name: 'chart job',
  async run({ cluster }) {
    const wish = { script: formLogin }
    const { labels, annotations } = metadataOf('job', wish)
    await cluster.apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'job', namespace: CHART_DEMO },
      spec: {
        backoffLimit: 0,
        template: {
          metadata: { labels, annotations },
          spec: { ...plainSpec(wish), restartPolicy: 'Never' },
        },
      },
    })
    await cluster.kubectl(
      '-n',
      CHART_DEMO,
      'wait',
      '--for=condition=complete',
      'job/job',
      '--timeout=180s',
    )
  },
}

/** Pods of the webhook die while twenty labelled pods are made: none is ever made without its broker, and all are made. */
export const chartRollout: Case = {
  name: 'chart rollout',
  async run({ cluster }) {
    const wish = { script: stays }
    const { labels, annotations } = metadataOf('rollout', wish)
    const app = { app: 'rollout' }
    await cluster.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'rollout', namespace: CHART_DEMO },
      spec: {
        replicas: REPLICAS,
        selector: { matchLabels: app },
        template: {
          metadata: { labels: { ...labels, ...app }, annotations },
          spec: plainSpec(wish),
        },
      },
    })
    const webhooks = ['-l', 'app.kubernetes.io/component=webhook']
    for (let round = 0; round < 2; round += 1) {
      await cluster.kubectl(
        '-n',
        CHART_SYSTEM,
        'delete',
        'pod',
        ...webhooks,
        '--grace-period=0',
        '--force',
      )
      await cluster.kubectl('-n', CHART_DEMO, 'delete', 'pod', '-l', 'app=rollout', '--wait=false')
    }
    await cluster.kubectl(
      '-n',
      CHART_DEMO,
      'rollout',
      'status',
      'deployment/rollout',
      '--timeout=240s',
    )
    const text = await cluster.kubectl(
      '-n',
      CHART_DEMO,
      'get',
      'pods',
      '-l',
      'app=rollout',
      '-o',
      'json',
    )
    const { items } = JSON.parse(text) as { readonly items: readonly PodObject[] }
    assert.ok(items.length >= REPLICAS)
    for (const { spec } of items) {
      assert.deepEqual(
        spec.initContainers?.map(({ name }) => name),
        ['lumo-broker'],
      )
    }
    await cluster.kubectl('-n', CHART_DEMO, 'delete', 'deployment', 'rollout')
  },
}

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

/** An upgrade with other values, with server-side apply and without, and back, while a pod asks again and again. */
export const chartUpgrade: Case = {
  name: 'chart upgrade',
  async run({ cluster }) {
    await cluster.apply(plainPod('looping', { script: loop }))
    await said(cluster, 'looping')
    const changed = {
      ...values,
      node: { enabled: true },
      authority: { podAnnotations: { changed: 'true' } },
      webhook: { podAnnotations: { changed: 'true' } },
    }
    await helm(cluster, installed('--server-side=false'), changed)
    await helm(cluster, ['rollback', RELEASE, '1', '--wait', '--timeout', '5m'])
    await helm(cluster, installed(), changed)
    const text = await logOf(cluster, 'looping')
    const answers = text.trim().split('\n')
    assert.ok(answers.length > 5)
    assert.deepEqual([...new Set(answers)], ['200'])
  },
}

/** Without a sidecar: the pod shows its token to the broker of its node. */
export const chartNode: Case = {
  name: 'chart node',
  async run({ cluster }) {
    const annotations = { 'lumoauth.dev/mode': 'node' }
    await cluster.apply(plainPod('of-node', { script: nodeLogin, annotations }))
    assert.equal((await said(cluster, 'of-node')).trim(), '200')
    const { spec } = (await cluster.get('pod', 'of-node', CHART_DEMO)) as PodObject
    assert.equal(spec.initContainers, undefined)
  },
}

/** What stays is what the notes name. */
export const chartUninstall: Case = {
  name: 'chart uninstall',
  async run({ cluster }) {
    await helm(cluster, ['uninstall', RELEASE, '--wait', '--timeout', '3m'])
    const kinds = 'all,secret,configmap,pvc,lease,role,rolebinding,networkpolicy,serviceaccount,pdb'
    const kept = [
      `persistentvolumeclaim/state-${FULLNAME}-authority-0`,
      `secret/${FULLNAME}-key-encryption`,
    ]
    await until('nothing to be left but what the notes name', async () => {
      const named = await cluster.kubectl('-n', CHART_SYSTEM, 'get', kinds, '-o', 'name')
      const ours = named.split('\n').filter((name) => name.includes(FULLNAME))
      assert.deepEqual(ours.toSorted(), kept)
      return true
    })
    const wide = 'clusterrole,clusterrolebinding,mutatingwebhookconfiguration'
    const policies = 'validatingadmissionpolicy,validatingadmissionpolicybinding'
    const everywhere = await cluster.kubectl('get', `${wide},${policies}`, '-o', 'name')
    assert.deepEqual(
      everywhere.split('\n').filter((name) => name.includes(FULLNAME)),
      [],
    )
  },
}
