import type { RequestOptions } from 'node:https'
import type { User } from '@kubernetes/client-node'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'

export type KubernetesLibrary = typeof import('@kubernetes/client-node')

/** How the API server is reached, as it lies on disk now. */
export interface ApiServerAccess {
  /** An https URL without a slash at its end. */
  readonly server: string
  /** PEM. Undefined: the CAs of the system. */
  readonly ca: string | undefined
  readonly authorization: string
}

export interface ApiServerPlace {
  /** Undefined: the API server of the cluster that this process runs in, with the pod's own service account. */
  readonly kubeconfig: string | undefined
  /** What needs it, for the operator. */
  readonly user: string
}

/**
 * Reads how the API server is reached. To be done anew for each request: the kubelet renews the token under us, and the
 * library would keep one for a minute by the wall clock, which may be set back.
 * @throws OperatorFault
 */
export async function readApiServer(
  library: KubernetesLibrary,
  { kubeconfig, user }: ApiServerPlace,
): Promise<ApiServerAccess> {
  const fault = (what: string): OperatorFault =>
    new OperatorFault(`${user} cannot use ${kubeconfig ?? 'this pod'}: ${what}`)
  const options: RequestOptions = {}
  const config = new library.KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromCluster()
    else config.loadFromFile(kubeconfig)
  } catch {
    // The library's own message may quote the file.
    throw fault('it cannot be read as a kubeconfig')
  }
  const cluster = config.getCurrentCluster()
  if (!cluster || !URL.canParse(cluster.server) || !cluster.server.startsWith('https:')) {
    throw fault('it names no API server with an https URL')
  }
  if (cluster.skipTLSVerify || cluster.proxyUrl || cluster.tlsServerName) {
    throw fault('insecure-skip-tls-verify, proxy-url and tls-server-name are not supported')
  }
  if (!hasToken(config.getCurrentUser())) {
    throw fault('its user has no token, and other credentials are not supported')
  }
  try {
    await config.applyToHTTPSOptions(options)
  } catch {
    throw fault('its token or its CA cannot be read')
  }
  const authorization: unknown = Reflect.get(options.headers ?? {}, 'Authorization')
  if (typeof authorization !== 'string') throw fault('its token or its CA cannot be read')
  return {
    server: cluster.server.replace(/\/$/, ''),
    ca: options.ca === undefined ? undefined : String(options.ca),
    authorization: authorization.trim(),
  }
}

/** A command (`exec`) or a provider's program would run without any bound. */
function hasToken(user: User | null): boolean {
  if (!user || user.exec) return false
  const provider: unknown = user.authProvider
  if (!provider) return user.token !== undefined && user.token !== ''
  return isJsonObject(provider) && provider['name'] === 'tokenFile'
}
