import assert from 'node:assert/strict'
import { manifestsOf } from '../cluster.ts'
import { agentPod, SIDECAR, type PodObject } from '../pods.ts'
import { until, type Case } from '../world.ts'

const NAMESPACE = 'on-the-node'

/** In a pod with the network of its node, whose loopback everybody there shares, the sidecar does not start, and says why. */
export const hostNetwork: Case = {
  name: 'host network',
  async begin({ cluster }) {
    const pod = await agentPod('exposed')
    const needs = (await manifestsOf('agent.yaml')).filter(({ kind }) =>
      ['ServiceAccount', 'ConfigMap'].includes(kind),
    )
    const moved = needs.map((one) => ({
      ...one,
      metadata: { ...one.metadata, namespace: NAMESPACE },
    }))
    const ca = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'lumo-authority-ca', namespace: NAMESPACE },
      data: { 'ca.crt': 'none' },
    }
    await cluster.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      ...moved,
      ca,
      {
        ...pod,
        metadata: { name: 'exposed', namespace: NAMESPACE },
        spec: { ...(pod['spec'] as object), hostNetwork: true },
      },
    )
  },
  async run({ cluster }) {
    const message = await until('the sidecar on the network of the node to give up', async () => {
      const pod = (await cluster.get('pod', 'exposed', NAMESPACE)) as PodObject
      const sidecar = pod.status.initContainerStatuses?.find(({ name }) => name === SIDECAR)
      return (sidecar?.state.terminated ?? sidecar?.lastState.terminated)?.message
    })
    assert.match(message, /broker\.podIp: is the node's: in a pod with hostNetwork/)
    await cluster.kubectl('delete', 'namespace', NAMESPACE, '--wait=false')
  },
}
