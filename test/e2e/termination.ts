import type { Cluster } from './cluster.ts'
import { podOf, SIDECAR } from './pods.ts'
import { until } from './world.ts'

/** The sentence with which a pod's sidecar gave up, as `kubectl describe pod` shows it. */
export function terminationMessage(cluster: Cluster, pod: string): Promise<string> {
  return until(`the termination message of ${pod}`, async () => {
    const { status } = await podOf(cluster, pod)
    const sidecar = status.initContainerStatuses?.find(({ name }) => name === SIDECAR)
    const ended = sidecar?.state.terminated ?? sidecar?.lastState.terminated
    return ended && ended.exitCode !== 0 ? ended.message : undefined
  })
}
