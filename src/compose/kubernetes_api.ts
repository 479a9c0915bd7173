import type { RequestOptions } from 'node:https'
import { HttpFailure, type HttpClient } from '../platform/http_client.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { Outage } from '../webhook/certificates/cluster_objects.ts'

export type JsonObject = Readonly<Record<string, unknown>>

interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'PATCH'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly accept?: string
  readonly contentType?: string
  readonly body?: object
  readonly totalTimeoutMs?: number
  readonly maxBytes?: number
}

/** What stands for an object as it is now, none (404), or that it is another than was thought (409, 422). */
interface ApiAnswer {
  readonly status: 200 | 404 | 409 | 422
  readonly body: JsonObject
}

/** One request to the API server of the cluster. */
export type Api = (request: ApiRequest) => Promise<ApiAnswer | Outage>

interface ApiDependencies {
  readonly http: HttpClient
  readonly kubeconfig: string | undefined
}

type Library = typeof import('@kubernetes/client-node')

const CONNECT_TIMEOUT_MS = 1_000
const TOTAL_TIMEOUT_MS = 3_000
/** A Secret holds 1 MiB at most, in base64. */
const MAX_ANSWER_BYTES = 2_097_152

/**
 * The API server, without any outage that throws. The library is loaded here and not before; it knows how a pod reaches its API
 * server. Requests go through `http`: the library's own transport follows redirects and takes an answer of any size.
 */
export async function openApi({ http, kubeconfig }: ApiDependencies): Promise<Api> {
  const library = await import('@kubernetes/client-node')
  return async (request) => {
    const { method, path, query = {}, body, contentType = 'application/json' } = request
    try {
      // Anew for each request: the kubelet renews the token under us.
      const { server, ca, authorization } = await readAccess(library, kubeconfig)
      const url = new URL(`${server}${path}`)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      const answer = await http({
        method,
        url,
        headers: {
          authorization,
          accept: request.accept ?? 'application/json',
          ...(body && { 'content-type': contentType }),
        },
        ...(body && { body: JSON.stringify(body) }),
        ...(ca !== undefined && { ca }),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        totalTimeoutMs: request.totalTimeoutMs ?? TOTAL_TIMEOUT_MS,
        maxBytes: request.maxBytes ?? MAX_ANSWER_BYTES,
      })
      return answerOf(answer.status, answer.body, `${method} ${path}`)
    } catch (error) {
      if (error instanceof HttpFailure || error instanceof OperatorFault) {
        return new Outage(`${method} ${path}: ${error.message}`)
      }
      throw error
    }
  }
}

function answerOf(status: number, text: string, what: string): ApiAnswer | Outage {
  if (status === 403) {
    return new Outage(
      `${what}: the API server answered 403; the role of this service account lacks that`,
    )
  }
  if (status === 404 || status === 409 || status === 422) return { status, body: {} }
  if (status !== 200) return new Outage(`${what}: the API server answered ${String(status)}`)
  const unreadable = new Outage(`${what}: the answer of the API server cannot be read`)
  try {
    const body: unknown = JSON.parse(text)
    return isJsonObject(body) ? { status, body } : unreadable
  } catch {
    return unreadable
  }
}

/** @throws OperatorFault */
async function readAccess(library: Library, kubeconfig: string | undefined) {
  const options: RequestOptions = {}
  const config = new library.KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromCluster()
    else config.loadFromFile(kubeconfig)
    await config.applyToHTTPSOptions(options)
  } catch {
    // The library's own message may quote the file.
    throw new OperatorFault('how this pod reaches its API server cannot be read')
  }
  const server = config.getCurrentCluster()?.server ?? ''
  const authorization: unknown = Reflect.get(options.headers ?? {}, 'Authorization')
  if (!server.startsWith('https:') || !URL.canParse(server)) {
    throw new OperatorFault('this process runs in no cluster, or its API server has no https URL')
  }
  if (typeof authorization !== 'string') {
    throw new OperatorFault('the service account of this pod has no token')
  }
  return {
    server: server.replace(/\/$/, ''),
    ca: options.ca === undefined ? undefined : String(options.ca),
    authorization: authorization.trim(),
  }
}
