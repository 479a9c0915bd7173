import { HttpFailure, type HttpAnswer, type HttpClient } from '../platform/http_client.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { Outage } from '../webhook/certificates/cluster_objects.ts'
import { readApiServer } from './api_server.ts'

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
  /** When it was answered, by the clock of the API server; milliseconds since the Unix epoch, NaN where it does not say. */
  readonly at: number
}

/** One request to the API server of the cluster. */
export type Api = (request: ApiRequest) => Promise<ApiAnswer | Outage>

interface ApiDependencies {
  readonly http: HttpClient
  readonly kubeconfig: string | undefined
}

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
  const place = { kubeconfig, user: 'this process' }
  return async (request) => {
    const { method, path, query = {}, body, contentType = 'application/json' } = request
    try {
      const { server, ca, authorization } = await readApiServer(library, place)
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
      return answerOf(answer, `${method} ${path}`)
    } catch (error) {
      if (error instanceof HttpFailure || error instanceof OperatorFault) {
        return new Outage(`${method} ${path}: ${error.message}`)
      }
      throw error
    }
  }
}

function answerOf(answer: HttpAnswer, what: string): ApiAnswer | Outage {
  const { status } = answer
  const at = Date.parse(answer.header('date') ?? '')
  if (status === 403) {
    return new Outage(
      `${what}: the API server answered 403; the role of this service account lacks that`,
    )
  }
  if (status === 404 || status === 409 || status === 422) return { status, body: {}, at }
  if (status !== 200) return new Outage(`${what}: the API server answered ${String(status)}`)
  const unreadable = new Outage(`${what}: the answer of the API server cannot be read`)
  try {
    const body: unknown = JSON.parse(answer.body)
    return isJsonObject(body) ? { status, body, at } : unreadable
  } catch {
    return unreadable
  }
}
