import type { RequestOptions } from 'node:https'
import type { RequestContext, ResponseContext, User } from '@kubernetes/client-node'
import { HttpFailure, type HttpAnswer, type HttpClient } from '../platform/http_client.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import type { ReviewAnswer } from '../verifier/kubernetes/review_answer.ts'
import { ReviewFailure, type AskReview } from '../verifier/kubernetes/token_review.ts'

interface ReviewSettings {
  /** Undefined: the API server of the cluster that this process runs in, with the pod's own service account. */
  readonly kubeconfig?: string | undefined
}

type Library = typeof import('@kubernetes/client-node')

/** How the API server is reached, as it lies on disk now. */
interface Access {
  readonly server: string
  readonly ca: string | undefined
  readonly authorization: string
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
  await readAccess(library, kubeconfig)
  return async (token, audience) => {
    try {
      const access = await readAccess(library, kubeconfig)
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

/**
 * Read anew for each question: the kubelet renews the token under us, and the library would keep one for a minute by the wall
 * clock, which may be set back.
 * @throws OperatorFault
 */
async function readAccess(library: Library, kubeconfig: string | undefined): Promise<Access> {
  const place = kubeconfig ?? 'this pod'
  const fault = (what: string): OperatorFault =>
    new OperatorFault(`tokenReview cannot use ${place}: ${what}`)
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
  return {
    server: cluster.server.replace(/\/$/, ''),
    ca: options.ca === undefined ? undefined : String(options.ca),
    authorization: String(Reflect.get(options.headers ?? {}, 'Authorization')).trim(),
  }
}

/** A command (`exec`) or a provider's program would run without any bound. */
function hasToken(user: User | null): boolean {
  if (!user || user.exec) return false
  const provider: unknown = user.authProvider
  if (!provider) return user.token !== undefined && user.token !== ''
  return isJsonObject(provider) && provider['name'] === 'tokenFile'
}

async function send(
  request: RequestContext,
  access: Access,
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

function contextOf(library: Library, answer: HttpAnswer): ResponseContext {
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
