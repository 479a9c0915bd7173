import { createSecureContext, type SecureContext } from 'node:tls'
import type { Dispatcher } from 'undici'
// By itself: all of undici takes 9 MB more of a sidecar, and puts a dispatcher among the globals.
import Pool from 'undici/lib/dispatcher/pool.js'
import type { Upstream } from '../broker/proxy/upstream.ts'
import type { ProxyRouteConfig } from '../config/proxy.ts'
import { isLoopbackHost } from '../platform/http_client.ts'
import { isProxied, type ProxyEnvironment } from '../platform/proxy.ts'
import { openCaFile } from './ca_file.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

const CONNECT_MS = 5_000

/** As many as there may be requests of a route: none waits for a connection. */
const limits = {
  connections: 256,
  pipelining: 1,
  // Of HTTP/2 there is no WebSocket, and one connection would carry requests with tokens of several users.
  allowH2: false,
  maxHeaderSize: 16_384,
  // The proxy has clocks of its own.
  headersTimeout: 0,
  bodyTimeout: 0,
}

/**
 * The connections to the upstream of a route, through the proxy of the environment where there is one for it.
 * @throws OperatorFault
 */
export async function openUpstream(
  { name, upstream, caFile }: ProxyRouteConfig,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Upstream> {
  const setting = `broker.proxy, caFile of the route ${name}`
  const ca =
    caFile && opened.follow(await openCaFile(caFile, { what: 'proxy_ca', setting }, surroundings))
  const proxy = proxyFor(upstream, surroundings.proxyEnv ?? {})
  const open =
    proxy === undefined
      ? (pem: string | undefined) => directTo(upstream, pem)
      : await throughProxy(proxy)
  let current = open(ca ? ca.current() : undefined)
  if (ca)
    ca.onChange((pem) => {
      const before = current
      current = open(pem)
      // What is under way goes on.
      void before.close()
    })
  opened.add(() => current.destroy())
  return { origin: upstream.origin, dispatcher: () => current }
}

/** The proxy of the environment for this URL; none for one on this machine. */
function proxyFor(url: URL, given: ProxyEnvironment): string | undefined {
  const isVia = !isLoopbackHost(url.hostname) && isProxied(url, given)
  return isVia ? (given['https_proxy'] ?? given['HTTPS_PROXY']) : undefined
}

function directTo(url: URL, pem: string | undefined): Dispatcher {
  return new Pool(url.origin, { ...limits, connect: { ...trusting(pem), timeout: CONNECT_MS } })
}

/** The part of undici that tunnels does not work by itself. */
async function throughProxy(uri: string): Promise<(pem: string | undefined) => Dispatcher> {
  const { ProxyAgent } = await import('undici')
  return (pem) =>
    withRecords(
      new ProxyAgent({
        ...limits,
        uri,
        requestTls: { ...trusting(pem), timeout: CONNECT_MS },
        proxyTls: { timeout: CONNECT_MS },
      }),
    )
}

/** Made once: it would be read anew for each connection. */
function trusting(pem: string | undefined): { readonly secureContext?: SecureContext } {
  return pem === undefined ? {} : { secureContext: createSecureContext({ ca: pem }) }
}

/** Of two fields of one name in a list the agent would keep one. */
function withRecords(agent: Dispatcher): Dispatcher {
  const dispatch = agent.dispatch.bind(agent)
  agent.dispatch = (options, handler) =>
    dispatch({ ...options, headers: recordOf(options.headers as readonly string[]) }, handler)
  return agent
}

function recordOf(list: readonly string[]): Record<string, string[]> {
  const record: Record<string, string[]> = {}
  for (let at = 0; at < list.length; at += 2) {
    const name = (list[at] ?? '').toLowerCase()
    const values = Object.hasOwn(record, name) ? record[name] : undefined
    if (values) values.push(list[at + 1] ?? '')
    else Object.defineProperty(record, name, { value: [list[at + 1] ?? ''], enumerable: true })
  }
  return record
}
