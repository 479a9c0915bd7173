import { posix } from 'node:path'
import type { Wanted } from './annotations.ts'
import type { Chosen } from './chosen.ts'
import { isBoundToWindows } from './operating_system.ts'
import { shownName, type Container, type Pod } from './pod.ts'
import { routedOf } from './routes.ts'
import { foldersOf, PROOF_VOLUME, SIDECAR, SOCKET_VOLUME } from './sidecar.ts'

/** Each gets some operations: of a pod of 3 MB that is nothing but containers, an answer would be made of a hundred. */
const MAX_CONTAINERS = 1_000

/** Why no broker can be put into a pod; undefined: nothing stands in its way. */
export function obstacleIn(
  pod: Pod,
  wanted: Wanted,
  chosen: readonly Chosen[],
): string | undefined {
  const { spec } = pod
  const all = [...spec.containers, ...(spec.initContainers ?? [])]
  if (all.length > MAX_CONTAINERS) {
    return `the pod has more than ${String(MAX_CONTAINERS)} containers`
  }
  return (
    unfitness(spec) ?? takenName(spec, all) ?? takenFolder(chosen, wanted) ?? takenPort(all, wanted)
  )
}

/** Why a pod that has its broker already cannot stay as it is: somebody changed it since, or its author wrote the mark himself. */
export function obstacleInInjected({ spec }: Pod, mode: 'sidecar' | 'node'): string | undefined {
  const { containers, initContainers = [] } = spec
  if (mode === 'node') return unfitness(spec)
  if (containers.some(({ name }) => name === SIDECAR)) {
    return `the pod has a second container ${SIDECAR}`
  }
  const others = [...containers, ...initContainers.filter(({ name }) => name !== SIDECAR)]
  return unfitness(spec) ?? mounting(others, PROOF_VOLUME)
}

function unfitness(spec: Pod['spec']): string | undefined {
  if (spec.hostNetwork === true) {
    return 'the pod has hostNetwork: every process of the node would be beside it, and could ask for its tokens. Take hostNetwork away, or the label'
  }
  if (isBoundToWindows(spec)) {
    return 'the pod is for Windows, for which there is no image of lumo-broker: take the label away'
  }
  return undefined
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
  return mounting(containers, PROOF_VOLUME) ?? mounting(containers, SOCKET_VOLUME)
}

/** It would be handed the proof itself, with which it could go around the broker. */
function mounting(containers: readonly Container[], volume: string): string | undefined {
  const found = containers.find(({ volumeMounts = [] }) =>
    volumeMounts.some(({ name }) => name === volume),
  )
  return found && `the container ${shownName(found)} mounts a volume of the broker's`
}

function isOurVolume(name: string): boolean {
  return name === PROOF_VOLUME || name === SOCKET_VOLUME
}

function takenFolder(chosen: readonly Chosen[], wanted: Wanted): string | undefined {
  const clash = chosen.find(({ container }) => {
    const folders = foldersOf(container, wanted)
    return container.volumeMounts?.some(({ mountPath }) =>
      folders.some((folder) => `${posix.normalize(mountPath)}/`.startsWith(`${folder}/`)),
    )
  })
  return (
    clash &&
    `the container ${shownName(clash.container)} has something mounted where ${foldersOf(clash.container, wanted).join(' and ')} would go`
  )
}

/** A port of the node too: whoever writes our number there takes it for his own. */
function takenPort(containers: readonly Container[], wanted: Wanted): string | undefined {
  const { mode, port, operationsPort, socket } = wanted
  if (mode === 'node') return undefined
  const served = routedOf(wanted)
  const ours = new Set<number | undefined>([
    ...(socket ? [] : [port]),
    operationsPort,
    ...served.map((one) => one.port),
  ])
  for (const container of containers) {
    for (const { containerPort, hostPort, protocol = 'TCP' } of container.ports ?? []) {
      if (protocol !== 'TCP') continue
      const clash = [containerPort, hostPort].find((one) => one !== undefined && ours.has(one))
      if (clash === undefined) continue
      const fixed = served.find((one) => one.port === clash)
      if (fixed) {
        return `the container ${shownName(container)} has the port ${String(clash)}, which is the broker's with lumoauth.dev/${fixed.annotation}: give the container another`
      }
      const annotation = clash === operationsPort ? 'operations-port' : 'port'
      return `the container ${shownName(container)} has the port ${String(clash)}, which is the broker's: choose another for the broker with lumoauth.dev/${annotation}`
    }
  }
  return undefined
}
