import type { RequestContext, ResponseContext } from '@kubernetes/client-node'
import { HttpFailure, type HttpAnswer, type HttpClient } from '../platform/http_client.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import type { ReviewAnswer } from '../verifier/kubernetes/review_answer.ts'
import { ReviewFailure, type AskReview } from '../verifier/kubernetes/token_review.ts'
import { readApiServer, type ApiServerAccess, type KubernetesLibrary } from './api_server.ts'

interface ReviewSettings {
  /** Undefined: the API server of the cluster that this process runs in, with the pod's own service account. */
  readonly kubeconfig?: string | undefined
}

const CONNECT_TIMEOUT_MS = 1_000
const TOTAL_TIMEOUT_MS = 3_000
/** The answer repeats the token. */
const MAX_ANSWER_BYTES = 131_072

const MEND_AFTER_SECONDS = 5
const AGAIN_AFTER_SECONDS = 2

/**
 * Opens the API server for TokenReviews; `create tokenreviews.authentication.k8s.io` is all that is needed there. The library
 * is loaded here and not before: it takes some 40 MB. It reads the configuration and knows the API; the request
 * goes through `http`, for the library's own transport follows redirects, with the token in the body, and takes an answer of
 * any size.
 * @throws OperatorFault when there is no way to the API server that can be used
 */
export async function openReview(
  { kubeconfig }: ReviewSettings,
  { http }: { readonly http: HttpClient },
): Promise<AskReview> {
  const library = await import('@kubernetes/client-node')
  const place = { kubeconfig, user: 'tokenReview' }
  await readApiServer(library, place)
  return async (token, audience) => {
    try {
      const access = await readApiServer(library, place)
      const api = new library.AuthenticationV1Api(
        library.createConfiguration({
          baseServer: new library.ServerConfiguration(access.server, {}),
          httpApi: library.wrapHttpLibrary({
            send: async (request) => contextOf(library, await send(request, access, http)),
          }),
        }),
      )
      const { status } = await api.createTokenReview({
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [audience] },
        },
      })
      return answerOf(status)
    } catch (error) {
      throw failureOf(error)
    }
  }
}

async function send(
  request: RequestContext,
  access: ApiServerAccess,
  http: HttpClient,
): Promise<HttpAnswer> {
  const body = request.getBody()
  const answer = await http({
    method: 'POST',
    url: new URL(request.getUrl()),
    headers: { ...request.getHeaders(), authorization: access.authorization },
    ...(typeof body === 'string' && { body }),
    ...(access.ca !== undefined && { ca: access.ca }),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    totalTimeoutMs: TOTAL_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
  })
  const { status } = answer
  if (status === 200 || status === 201) return answer
  if (status === 403) {
    const missing = 'this authority lacks the permission create tokenreviews.authentication.k8s.io'
    throw new ReviewFailure(`the API server answered 403: ${missing}`, MEND_AFTER_SECONDS)
  }
  if (status === 401) {
    const unknown = "it does not accept this authority's own token"
    throw new ReviewFailure(`the API server answered 401: ${unknown}`, MEND_AFTER_SECONDS)
  }
  throw new ReviewFailure(`the API server answered ${String(status)}`, AGAIN_AFTER_SECONDS)
}

function contextOf(library: KubernetesLibrary, answer: HttpAnswer): ResponseContext {
  const headers = { 'content-type': answer.header('content-type') ?? '' }
  const bytes = Promise.resolve(Buffer.from(answer.body))
  return new library.ResponseContext(answer.status, headers, new library.SelfDecodingBody(bytes))
}

/** The library's types are a promise of the API's description that nothing has checked. */
function answerOf(status: unknown): ReviewAnswer {
  if (!isJsonObject(status)) {
    throw new ReviewFailure('the API server answered without a status', AGAIN_AFTER_SECONDS)
  }
  const user = isJsonObject(status['user']) ? status['user'] : {}
  const extra = isJsonObject(user['extra']) ? user['extra'] : {}
  return {
    authenticated: status['authenticated'] === true,
    audiences: textsOf(status['audiences']),
    username: textOf(user['username']),
    uid: textOf(user['uid']),
    extra: Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, textsOf(value)])),
    error: textOf(status['error']),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  return list.filter((each) => typeof each === 'string')
}

function failureOf(error: unknown): ReviewFailure {
  if (error instanceof ReviewFailure) return error
  if (error instanceof OperatorFault) return new ReviewFailure(error.message, MEND_AFTER_SECONDS)
  if (error instanceof HttpFailure) return new ReviewFailure(error.message, AGAIN_AFTER_SECONDS)
  // Of the library, which quotes what it could not read: the token stands in the answer.
  return new ReviewFailure('the answer of the API server cannot be read', AGAIN_AFTER_SECONDS)
}
