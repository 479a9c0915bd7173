import assert from 'node:assert/strict'
import {
  CHART_DEMO,
  CHART_SYSTEM,
  metadataOf,
  plainSpec,
  stays,
  type PodObject,
} from '../../chart.ts'
import type { Case } from '../../world.ts'

const REPLICAS = 20

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
