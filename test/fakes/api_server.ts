import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { isJsonObject } from '../../src/platform/strict_json.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { ReviewAnswer } from '../../src/verifier/kubernetes/review_answer.ts'
import { ReviewFailure } from '../../src/verifier/kubernetes/token_review.ts'
import { makeCa } from './certificates.ts'
import type { FakeCluster } from './cluster.ts'

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'
const MAX_BODY_BYTES = 65_536

interface Bound {
  readonly namespace: string
  readonly serviceaccount: { readonly name: string; readonly uid: string }
  readonly pod?: { readonly name: string; readonly uid: string }
}

/**
 * The API server of a cluster, as far as it reviews tokens: it knows which accounts and pods there are, by uid, and who may
 * ask it. What it answers of a token follows from that.
 */
export class FakeApiServer {
  /** Uids of what is there. */
  readonly objects = new Set<string>()
  /** Own tokens of those that may create TokenReviews. */
  readonly permitted = new Set<string>()
  /** Own tokens that it knows, permitted or not. */
  readonly known = new Set<string>()
  /** Every review that was asked for; `authorization` over HTTP only. */
  readonly asked: { readonly audiences: readonly string[]; readonly authorization?: string }[] = []
  down = false
  /** An old server, or a webhook in its place, that ignores `spec.audiences`. */
  audienceUnaware = false
  readonly #cluster: FakeCluster
  readonly #clock: Clock
  #gate: PromiseWithResolvers<void> | undefined

  constructor(cluster: FakeCluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
    const { serviceaccount, pod } = boundOf(cluster.claims())
    this.objects.add(serviceaccount.uid)
    if (pod) this.objects.add(pod.uid)
  }

  /** Deletes an account or a pod. */
  delete(uid: string): void {
    this.objects.delete(uid)
  }

  /** Leaves every question without an answer until it is released. */
  hold(): void {
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  /** A question without HTTP in between. */
  ask = async (token: string, audience: string): Promise<ReviewAnswer> => {
    this.asked.push({ audiences: [audience] })
    await this.#gate?.promise
    if (this.down) throw new ReviewFailure('127.0.0.1: ECONNREFUSED', 2)
    const { user, ...status } = await this.status(token, [audience])
    return { audiences: [], ...status, ...user }
  }

  /** `status` of a TokenReview, as pkg/serviceaccount decides it. */
  async status(token: string, audiences: readonly string[]) {
    const refused = (error: string) => ({ authenticated: false, user: {}, error })
    const claims = await jwtVerify(token, this.#cluster.publicKey, {
      currentDate: new Date(this.#clock.wall()),
    }).then(
      ({ payload }) => payload,
      () => undefined,
    )
    if (!claims) return refused('invalid bearer token')
    const { namespace, serviceaccount, pod } = boundOf(claims)
    const shared = audiences.filter((audience) => [claims.aud ?? []].flat().includes(audience))
    if (!this.audienceUnaware && shared.length === 0) {
      return refused(`token audiences is invalid for the target audiences [${audiences.join()}]`)
    }
    const bound = pod ? [serviceaccount, pod] : [serviceaccount]
    if (bound.some(({ uid }) => !this.objects.has(uid))) {
      return refused('[invalid bearer token, service account token has been invalidated]')
    }
    const extra: Record<string, readonly string[]> = {
      'authentication.kubernetes.io/credential-id': [`JTI=${String(claims.jti)}`],
      ...(pod && {
        'authentication.kubernetes.io/pod-name': [pod.name],
        'authentication.kubernetes.io/pod-uid': [pod.uid],
      }),
    }
    return {
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
        uid: serviceaccount.uid,
        groups: ['system:serviceaccounts', 'system:authenticated'],
        extra,
      },
      ...(!this.audienceUnaware && { audiences: shared }),
    }
  }

  /** Serves it on the loopback with a certificate of its own CA. */
  async listen(name = 'fake cluster') {
    const ca = await makeCa(name)
    const { cert, key } = await ca.issue()
    const server = createServer({ cert, key }, this.#answer)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    return {
      url: `https://127.0.0.1:${String(port)}`,
      ca: ca.pem,
      close: () =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve()
          })
          server.closeAllConnections()
        }),
    }
  }

  readonly #answer: RequestListener = (request, response) => {
    const { authorization = '' } = request.headers
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
      if (body.length > MAX_BODY_BYTES) request.destroy()
    })
    request.on('end', () => {
      const reply = (code: number, answer: object): void => {
        response.writeHead(code, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer))
      }
      const own = authorization.replace(/^Bearer /, '')
      if (request.method !== 'POST' || request.url !== PATH) reply(404, failure(404))
      else if (!this.known.has(own)) reply(401, failure(401))
      else if (!this.permitted.has(own)) reply(403, failure(403))
      else
        void this.#review(JSON.parse(body), authorization).then((answer) => {
          reply(201, answer)
        })
    })
  }

  async #review(asked: unknown, authorization: string): Promise<object> {
    const spec = isJsonObject(asked) ? asked['spec'] : undefined
    const { token, audiences } = spec as { token: string; audiences: readonly string[] }
    this.asked.push({ audiences, authorization })
    await this.#gate?.promise
    const head = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', metadata: {} }
    return { ...head, spec, status: await this.status(token, audiences) }
  }
}

function failure(code: number): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code }
}

function boundOf(claims: Readonly<Record<string, unknown>>): Bound {
  return claims['kubernetes.io'] as Bound
}
