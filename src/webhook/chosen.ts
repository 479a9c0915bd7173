import type { InjectionConfig } from '../config/webhook.ts'
import type { Wanted } from './annotations.ts'
import type { Container, Pod } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'

/** A container that is told of the broker, and where it stands in the pod. */
export interface Chosen {
  readonly container: Container
  readonly at: readonly ['spec', 'containers' | 'initContainers', number]
}

/** First, so that other init containers have tokens; but a mesh's proxy opens the way to the authority. */
export function sidecarPlace(
  { spec: { initContainers = [] } }: Pod,
  { meshProxies }: Pick<InjectionConfig, 'meshProxies'>,
): number {
  return initContainers.findLastIndex(({ name }) => meshProxies.includes(name)) + 1
}

/**
 * The containers that annotations name. Where they name none: all containers, and the init containers that run to their end
 * once there is a broker. Sidecars of others, proxies of meshes among them, get nothing unless they are named. Beside the
 * proxy a socket is not for all that the broker is for: the others are told of the proxy.
 */
export function chosenOf(
  pod: Pod,
  { mode, containers, socket, proxyRoutes }: Wanted,
  { meshProxies }: InjectionConfig,
): readonly Chosen[] | InjectionRefusal {
  const { containers: main, initContainers: init = [] } = pod.spec
  // In mode node the broker is there before the pod is.
  const first = mode === 'sidecar' ? sidecarPlace(pod, { meshProxies }) : 0
  const named = containers ?? socket
  const early = init.slice(0, first).find(({ name }) => named?.includes(name))
  if (early) {
    return new InjectionRefusal(
      `the init container ${early.name}, which an annotation names, runs before the broker, for it stands before the proxy of a mesh`,
    )
  }
  const isOrdinary = ({ name, restartPolicy }: Container): boolean =>
    !meshProxies.includes(name) && restartPolicy !== 'Always'
  const isChosen = (container: Container): boolean => {
    const isNamed = named?.includes(container.name)
    return isNamed === undefined || (!isNamed && !containers && proxyRoutes !== undefined)
      ? isOrdinary(container)
      : isNamed
  }
  return [
    ...main.map((container, index): Chosen => ({ container, at: ['spec', 'containers', index] })),
    ...init.flatMap((container, index): readonly Chosen[] =>
      index < first ? [] : [{ container, at: ['spec', 'initContainers', index] }],
    ),
  ].filter(({ container }) => isChosen(container))
}
