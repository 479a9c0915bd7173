import type { Bearers } from '../broker/bearers.ts'
import type { Callers } from '../broker/caller/callers.ts'
import { hostAllowList } from '../broker/guards.ts'
import { proxyHandlers } from '../broker/proxy/listener.ts'
import { proxyRoute, type ProxyRoute } from '../broker/proxy/routes.ts'
import type { ProxyConfig } from '../config/proxy.ts'
import { listen } from '../platform/listen.ts'
import { Opened } from './opened.ts'
import { openUpstream } from './proxy_upstream.ts'
import type { Surroundings } from './surroundings.ts'

/** What the proxy takes of the broker that it belongs to. */
export interface ProxyParts {
  readonly bearers: Bearers
  readonly callers: Callers
  /** More `Host` values that callers may use. */
  readonly hosts: readonly string[]
}

export interface RunningProxy {
  readonly addresses: readonly string[]
  /** Stops accepting, lets what runs finish for `graceMs`, then breaks off. */
  close(graceMs: number): Promise<void>
}

/**
 * Wires the proxy that adds tokens, and listens. Loaded only where one is configured: its HTTP client takes 17 MB.
 * @throws OperatorFault
 */
export async function openProxy(
  config: ProxyConfig,
  { bearers, callers, hosts: more }: ProxyParts,
  opened: Opened,
  surroundings: Surroundings,
): Promise<RunningProxy> {
  const upstreams = new Opened()
  opened.add(() => upstreams.close())
  const routes: ProxyRoute[] = []
  for (const route of config.routes) {
    routes.push(proxyRoute(route, await openUpstream(route, upstreams, surroundings)))
  }
  let hosts: ReadonlySet<string> = new Set()
  const handlers = proxyHandlers({ routes, bearers, callers, hosts: () => hosts, ...surroundings })
  const listening = await listen(
    { role: 'proxy', addresses: config.listen, ownPodOnly: true, longRequests: true, ...handlers },
    surroundings.clock,
  )
  opened.add(() => listening.close(0))
  hosts = hostAllowList(listening.addresses, more)
  return {
    addresses: listening.addresses,
    close: async (graceMs) => {
      await listening.close(graceMs)
      await upstreams.close()
    },
  }
}
