import type { Wanted } from './annotations.ts'
import type { Chosen } from './chosen.ts'
import { shownName, type Container, type Pod } from './pod.ts'
import { foldersOf, PROOF_VOLUME, SIDECAR, SOCKET_VOLUME } from './sidecar.ts'

/** Why no broker can be put into a pod; undefined: nothing stands in its way. */
export function obstacleIn(
  pod: Pod,
  wanted: Wanted,
  chosen: readonly Chosen[],
): string | undefined {
  const { spec } = pod
  if (spec.hostNetwork === true) {
    return 'the pod has hostNetwork: every process of the node would be beside it, and could ask for its tokens'
  }
  if (spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows') {
    return 'the pod is for Windows, for which there is no image of lumo-broker'
  }
  const all = [...spec.containers, ...(spec.initContainers ?? [])]
  return takenName(spec, all) ?? takenFolder(chosen, wanted) ?? takenPort(all, wanted)
}

function takenName(
  { volumes = [] }: Pod['spec'],
  containers: readonly Container[],
): string | undefined {
  if (containers.some(({ name }) => name === SIDECAR)) {
    return `the pod has a container ${SIDECAR} already`
  }
  const taken = volumes.find(({ name }) => isOurVolume(name))
  if (taken) return `the pod has a volume ${taken.name} already`
  // It would be handed the proof itself, with which it could go around the broker.
  const mounting = containers.find(({ volumeMounts = [] }) =>
    volumeMounts.some(({ name = '' }) => isOurVolume(name)),
  )
  return mounting && `the container ${shownName(mounting)} mounts a volume of the broker's`
}

function isOurVolume(name: string): boolean {
  return name === PROOF_VOLUME || name === SOCKET_VOLUME
}

function takenFolder(chosen: readonly Chosen[], wanted: Wanted): string | undefined {
  const clash = chosen.find(({ container }) => {
    const folders = foldersOf(container, wanted)
    return container.volumeMounts?.some(({ mountPath }) =>
      folders.includes(mountPath.replace(/\/+$/, '')),
    )
  })
  return (
    clash &&
    `the container ${shownName(clash.container)} has something mounted where ${foldersOf(clash.container, wanted).join(' and ')} would go`
  )
}

/** A port of the node too: whoever writes our number there takes it for his own. */
function takenPort(
  containers: readonly Container[],
  { mode, port, operationsPort, socket }: Wanted,
): string | undefined {
  if (mode === 'node') return undefined
  const ours: readonly (number | undefined)[] = socket ? [operationsPort] : [port, operationsPort]
  for (const container of containers) {
    for (const { containerPort, hostPort } of container.ports ?? []) {
      const clash = [containerPort, hostPort].find((one) => one !== undefined && ours.includes(one))
      if (clash === undefined) continue
      const annotation = clash === operationsPort ? 'operations-port' : 'port'
      return `the container ${shownName(container)} has the port ${String(clash)}, which is the broker's: choose another for the broker with lumoauth.dev/${annotation}`
    }
  }
  return undefined
}
