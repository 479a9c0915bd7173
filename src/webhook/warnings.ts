import type { InjectionConfig } from '../config/webhook.ts'
import type { Wanted } from './annotations.ts'
import { chosenOf } from './chosen.ts'
import { hasUnreadExceptions } from './environment.ts'
import { shownName, type Pod } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'

/** What may go wrong with a pod that is admitted, for whoever makes it by hand. At most one of each kind. */
export function warningsOf(pod: Pod, wanted: Wanted, config: InjectionConfig): readonly string[] {
  if (wanted.mode === 'node') return []
  return [
    lateProxy(pod, wanted, config),
    proxiedLoopback(pod, wanted, config),
    sharedProcesses(pod),
  ].filter((text) => text !== undefined)
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

function proxiedLoopback(pod: Pod, wanted: Wanted, config: InjectionConfig): string | undefined {
  const chosen = chosenOf(pod, wanted, config)
  if (wanted.socket || chosen instanceof InjectionRefusal) return undefined
  const found = chosen.find(({ container }) => hasUnreadExceptions(container))
  return (
    found &&
    `the NO_PROXY of ${shownName(found.container)} comes from elsewhere: it must name 127.0.0.1`
  )
}

/** https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/: by `/proc/{pid}/root`, and under file permissions alone. */
function sharedProcesses({ spec }: Pod): string | undefined {
  return spec.shareProcessNamespace === true
    ? 'with shareProcessNamespace the containers that run as root or as user 65532 can read the proof of the broker'
    : undefined
}
