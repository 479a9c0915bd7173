import { createServer } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { openReview } from '../../../src/compose/token_review.ts'
import { nodeHttpClient } from '../../../src/platform/http_client.ts'
import { OperatorFault } from '../../../src/platform/operator_fault.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import { ReviewFailure } from '../../../src/verifier/kubernetes/token_review.ts'
import { FakeApiServer } from '../../fakes/api_server.ts'
import { makeCa } from '../../fakes/certificates.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)
const server = new FakeApiServer(cluster, clock)
const surroundings = { http: nodeHttpClient(systemClock, {}) }
const OWN = 'own-token-1'

let folder: string
let listening: Awaited<ReturnType<FakeApiServer['listen']>>
let token: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-review-'))
  listening = await server.listen()
  token = await cluster.token()
  for (const each of [OWN, 'own-token-2', 'own-token-without']) server.known.add(each)
  for (const each of [OWN, 'own-token-2']) server.permitted.add(each)
})

afterAll(async () => {
  await listening.close()
  await rm(folder, { recursive: true })
})

interface Kubeconfig {
  readonly cluster?: object
  readonly user?: object
}

const path = (): string => join(folder, 'kubeconfig')

async function writeKubeconfig({ cluster: changes, user }: Kubeconfig = {}): Promise<string> {
  const { url, ca } = listening
  const at = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { ...at, ...changes } }],
    users: [{ name: 'authority', user: user ?? { token: OWN } }],
    contexts: [{ name: 'only', context: { cluster: 'fake', user: 'authority' } }],
    'current-context': 'only',
  }
  await writeFile(path(), stringify(config))
  return path()
}

/** What stands in the way, or that nothing does. */
const faultOf = async (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => 'none',
    (error: unknown) => error,
  )

describe('a review', () => {
  test('is asked for with the own token, for the one audience', async () => {
    const ask = await openReview({ kubeconfig: await writeKubeconfig() }, surroundings)
    const answer = await ask(token, cluster.audience)
    expect(answer).toMatchObject({
      authenticated: true,
      audiences: [cluster.audience],
      username: 'system:serviceaccount:research:doc-analyst',
      uid: '11111111-1111-1111-1111-111111111111',
    })
    expect(answer.extra?.['authentication.kubernetes.io/pod-uid']).toEqual([
      '22222222-2222-2222-2222-222222222222',
    ])
    expect(server.asked.at(-1)).toEqual({
      audiences: [cluster.audience],
      authorization: `Bearer ${OWN}`,
    })
  })

  test('that is denied is an answer, with the reason of the server', async () => {
    const ask = await openReview({ kubeconfig: await writeKubeconfig() }, surroundings)
    expect(await ask(token, 'https://elsewhere.example')).toMatchObject({
      authenticated: false,
      audiences: [],
      error: expect.stringContaining('is invalid for the target audiences') as unknown,
    })
  })

  test('is asked for with the token that lies there now', async () => {
    const file = join(folder, 'token')
    await writeFile(file, OWN)
    const provider = { name: 'tokenFile', config: { tokenFile: file } }
    const kubeconfig = await writeKubeconfig({ user: { 'auth-provider': provider } })
    const ask = await openReview({ kubeconfig }, surroundings)
    await ask(token, cluster.audience)
    await writeFile(file, 'own-token-2\n')
    await ask(token, cluster.audience)
    expect(server.asked.slice(-2).map(({ authorization }) => authorization)).toEqual([
      `Bearer ${OWN}`,
      'Bearer own-token-2',
    ])
  })
})

describe('a failure', () => {
  const cases: readonly {
    readonly name: string
    readonly user?: object
    readonly cluster?: () => object
    readonly message: RegExp
    readonly seconds: number
  }[] = [
    {
      name: 'without the permission',
      user: { token: 'own-token-without' },
      message:
        /403: this authority lacks the permission create tokenreviews\.authentication\.k8s\.io$/,
      seconds: 5,
    },
    {
      name: 'with an own token that has ended',
      user: { token: 'ended' },
      message: /401: it does not accept this authority's own token$/,
      seconds: 5,
    },
    {
      name: 'where the server is at another path',
      cluster: () => ({ server: `${listening.url}/elsewhere` }),
      message: /^the API server answered 404$/,
      seconds: 2,
    },
    {
      name: 'where nobody listens',
      cluster: () => ({ server: 'https://127.0.0.1:1' }),
      message: /^127\.0\.0\.1:1: ECONNREFUSED$/,
      seconds: 2,
    },
    {
      name: 'where the certificate is of a stranger',
      cluster: () => ({ 'certificate-authority-data': Buffer.from(stranger).toString('base64') }),
      message: /its certificate is not trusted/,
      seconds: 2,
    },
  ]
  let stranger: string
  beforeAll(async () => {
    stranger = (await makeCa('stranger')).pem
  })

  test.each(cases)('$name', async ({ user, cluster: changes, message, seconds }) => {
    const kubeconfig = await writeKubeconfig({
      ...(user && { user }),
      ...(changes && { cluster: changes() }),
    })
    const ask = await openReview({ kubeconfig }, surroundings)
    const fault = await faultOf(ask(token, cluster.audience))
    expect(fault).toBeInstanceOf(ReviewFailure)
    expect(fault).toMatchObject({ message: expect.stringMatching(message) as unknown })
    expect(fault).toMatchObject({ retryAfterSeconds: seconds })
    expect(JSON.stringify(fault) + String(fault)).not.toMatch(/own-token|ended|eyJ/)
  })

  const json = { 'content-type': 'application/json' }
  test.each<[string, RequestListener, RegExp]>([
    ['no JSON', (_, out) => out.writeHead(201, json).end(`{ ${token}`), /cannot be read$/],
    ['no content type', (_, out) => out.writeHead(201).end('{}'), /cannot be read$/],
    ['no status', (_, out) => out.writeHead(201, json).end('{}'), /without a status$/],
    [
      'status of another form',
      (_, out) => out.writeHead(201, json).end('{"status":{"audiences":7}}'),
      /cannot be read$/,
    ],
    [
      'more than it may be',
      (_, out) => out.writeHead(201, json).end(' '.repeat(131_073)),
      /the answer could not be read$/,
    ],
    [
      'a way to somewhere else',
      (_, out) => out.writeHead(307, { location: listening.url }).end(),
      /answered 307$/,
    ],
  ])('where the answer is %s', async (_name, listener, message) => {
    const ca = await makeCa('odd')
    const odd = createServer(await ca.issue(), (request, response) => {
      request.resume().on('end', () => listener(request, response))
    })
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      odd.close()
      odd.closeAllConnections()
    })
    const { port } = odd.address() as AddressInfo
    const kubeconfig = await writeKubeconfig({
      cluster: {
        server: `https://127.0.0.1:${String(port)}`,
        'certificate-authority-data': Buffer.from(ca.pem).toString('base64'),
      },
    })
    const ask = await openReview({ kubeconfig }, surroundings)
    const before = server.asked.length
    const fault = await faultOf(ask(token, cluster.audience))
    expect(fault).toBeInstanceOf(ReviewFailure)
    expect(fault).toMatchObject({ message: expect.stringMatching(message) as unknown })
    expect(String(fault)).not.toContain(token)
    expect(server.asked).toHaveLength(before)
  })

  test('once the configuration is gone', async () => {
    const ask = await openReview({ kubeconfig: await writeKubeconfig() }, surroundings)
    await rm(path())
    expect(await faultOf(ask(token, cluster.audience))).toMatchObject({
      message: `tokenReview cannot use ${path()}: it cannot be read as a kubeconfig`,
      retryAfterSeconds: 5,
    })
  })
})

describe('said at the start', () => {
  test.each<[string, Kubeconfig, RegExp]>([
    ['plain HTTP', { cluster: { server: 'http://127.0.0.1:8001' } }, /no API server with an https/],
    ['a server that is no URL', { cluster: { server: 'here' } }, /no API server with an https/],
    [
      'a server that is not verified',
      { cluster: { 'insecure-skip-tls-verify': true } },
      /insecure-skip-tls-verify.* not supported/,
    ],
    ['a proxy', { cluster: { 'proxy-url': 'http://127.0.0.1:1' } }, /proxy-url.* not supported/],
    ['a server of another name', { cluster: { 'tls-server-name': 'x' } }, /not supported/],
    ['a user without a token', { user: {} }, /its user has no token/],
    ['a user that is a command', { user: { exec: { command: 'true' } } }, /its user has no token/],
    [
      'a user that is a program',
      { user: { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'true' } } } },
      /its user has no token/,
    ],
    [
      'a token file that is not there',
      { user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: '/no/such' } } } },
      /its token or its CA cannot be read/,
    ],
    [
      'a CA that is not there',
      { cluster: { 'certificate-authority': '/no/such' } },
      /its token or its CA cannot be read/,
    ],
  ])('%s', async (_name, kubeconfig, message) => {
    const opening = openReview({ kubeconfig: await writeKubeconfig(kubeconfig) }, surroundings)
    const fault = await faultOf(opening)
    expect(fault).toBeInstanceOf(OperatorFault)
    expect(fault).toMatchObject({ message: expect.stringMatching(message) as unknown })
  })

  test('a file that is no kubeconfig, without a word of what stands in it', async () => {
    await writeFile(path(), `users: [{ token: ${OWN}`)
    const fault = await faultOf(openReview({ kubeconfig: path() }, surroundings))
    expect(fault).toMatchObject({
      message: `tokenReview cannot use ${path()}: it cannot be read as a kubeconfig`,
    })
  })

  test('that there is no cluster around', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    expect(await faultOf(openReview({}, surroundings))).toMatchObject({
      message: 'tokenReview cannot use this pod: it names no API server with an https URL',
    })
  })
})
