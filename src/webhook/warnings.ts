import { posix } from 'node:path'
import type { InjectionConfig } from '../config/webhook.ts'
import type { Wanted } from './annotations.ts'
import { chosenOf, type Chosen } from './chosen.ts'
import { hasUnreadExceptions } from './environment.ts'
import { shownName, type Container, type Pod } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'
import { environmentOf, foldersOf } from './sidecar.ts'

/** What may go wrong with a pod that is admitted, for whoever makes it by hand. At most one of each kind. */
export function warningsOf(pod: Pod, wanted: Wanted, config: InjectionConfig): readonly string[] {
  const chosen = chosenOf(pod, wanted, config)
  if (chosen instanceof InjectionRefusal) return []
  const containers = chosen.map(({ container }) => container)
  const overridden = overriddenSources(containers, wanted, config)
  const ofSidecar = [
    lateProxy(pod, wanted, config),
    usesLoopback(wanted) ? proxiedLoopback(containers) : undefined,
    sharedProcesses(pod),
    strayGuard(containers, wanted, config),
  ]
  const ofBoth = [overridden, coveredFolder(chosen, wanted)]
  return [...(wanted.mode === 'sidecar' ? ofSidecar : []), ...ofBoth].filter(
    (text) => text !== undefined,
  )
}

/** An author's own address beside our guard value: what stands for a secret here would go there. */
function strayGuard(
  containers: readonly Container[],
  wanted: Wanted,
  config: InjectionConfig,
): string | undefined {
  const found = containers.find((container) => {
    const { env = [] } = container
    const ours = environmentOf(container, wanted, config, { guardSecret: '' })
    const url = env.findLast(({ name }) => name === 'LUMOAUTH_URL')
    const isOurs =
      url === undefined || (url.valueFrom === undefined && url.value === ours['LUMOAUTH_URL'])
    const isGiven = ours['AGENT_CLIENT_SECRET'] !== undefined
    return isGiven && !isOurs && !env.some(({ name }) => name === 'AGENT_CLIENT_SECRET')
  })
  return (
    found &&
    `${shownName(found)} has a LUMOAUTH_URL of its own, which stays, and AGENT_CLIENT_SECRET is the broker's guard value, which is of no use there: set both or neither`
  )
}

/** The runtime makes our folder in what is mounted above it, and cannot in what is read-only. */
function coveredFolder(chosen: readonly Chosen[], wanted: Wanted): string | undefined {
  const found = chosen.find(({ container }) =>
    container.volumeMounts?.some(({ mountPath }) => {
      const above = `${posix.normalize(mountPath)}/`.replace(/\/+$/, '/')
      return foldersOf(container, wanted).some((folder) => folder.startsWith(above))
    }),
  )
  return (
    found &&
    `${shownName(found.container)} has a volume mounted above ${foldersOf(found.container, wanted).join(' and ')}: if it is read-only, the container cannot start`
  )
}

/** The network of such a pod is the proxy's, and the proxy starts when the broker has its token. */
function lateProxy(
  { spec }: Pod,
  { start }: Wanted,
  { meshProxies }: InjectionConfig,
): string | undefined {
  const proxy = spec.containers.find(({ name }) => meshProxies.includes(name))
  return proxy && start === 'token'
    ? `${shownName(proxy)} starts after the broker, which waits for its network: make it a native sidecar, or set lumoauth.dev/start: config`
    : undefined
}

/** Whether programs reach the broker, or its proxy, by an address that a proxy of theirs could get. */
function usesLoopback({ socket, proxyRoutes }: Wanted): boolean {
  return !socket || proxyRoutes !== undefined
}

function proxiedLoopback(containers: readonly Container[]): string | undefined {
  const found = containers.find(hasUnreadExceptions)
  return found && `the NO_PROXY of ${shownName(found)} comes from elsewhere: it must name 127.0.0.1`
}

/**
 * What a ConfigMap or a Secret holds is not seen here, and `env`, where the broker's variables stand, goes before it. Short:
 * the API server cuts what is longer than 256 characters.
 */
function overriddenSources(
  containers: readonly Container[],
  wanted: Wanted,
  config: InjectionConfig,
): string | undefined {
  const found = containers.find(({ envFrom = [] }) => envFrom.length > 0)
  if (!found) return undefined
  const own = new Set(found.env?.map(({ name }) => name))
  const names = Object.keys(environmentOf(found, wanted, config, { guardSecret: '' })).filter(
    (name) => !own.has(name),
  )
  const proxy = wanted.mode === 'sidecar' && usesLoopback(wanted)
  const texts = [
    ...(names.length > 0 ? [`does not count for ${names.join(', ')} (use env)`] : []),
    ...(proxy ? ['must except 127.0.0.1 from a proxy'] : []),
  ]
  return texts.length > 0 ? `the envFrom of ${shownName(found)} ${texts.join(' and ')}` : undefined
}

/** https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/: by `/proc/{pid}/root`, and under file permissions alone. */
function sharedProcesses({ spec }: Pod): string | undefined {
  if (spec.hostPID === true) {
    return 'with hostPID whoever is root or user 65532 in this pod can read the proofs of the brokers of the node'
  }
  return spec.shareProcessNamespace === true
    ? 'with shareProcessNamespace the containers that run as root or as user 65532 can read the proof of the broker'
    : undefined
}
