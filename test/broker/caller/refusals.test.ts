import { generateKeyPairSync } from 'node:crypto'
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import { analyst, callingPods, issuedFor, podName } from '../../fakes/calling_pods.ts'
import { requestText, sendRaw } from '../../fakes/raw_http.ts'
import { FakeCluster } from '../../fakes/cluster.ts'

const pods = await callingPods()
const { clock, cluster, tokenOf } = pods
let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker({ clock, callersOf: () => pods.callers })
  broker.authority.tokenOf = (_, { subjectToken }) =>
    `for-${issuedFor(subjectToken).pod.replaceAll(' ', '-')}`
})
afterAll(() => broker.close())

interface Answer {
  readonly status: number
  readonly code: unknown
  readonly challenge: string | undefined
  readonly retryAfter: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** Asks for a token with these header lines beside those that every caller sends. */
function ask(lines: readonly string[], path = '/v1/token'): Promise<Answer> {
  const headers = ['Host', broker.host, 'Lumo-Broker', 'true', 'Connection', 'close', ...lines]
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: broker.port, path, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Answer['body']
        const { 'www-authenticate': challenge, 'retry-after': retryAfter } = incoming.headers
        const { statusCode: status = 0 } = incoming
        resolve({ status, code: body['code'], challenge, retryAfter, body })
      })
    }).on('error', reject)
  })
}

const bearer = (token: string): readonly string[] => ['Authorization', `Bearer ${token}`]

const good = await tokenOf(analyst)
const [header = '', payload = '', signature = ''] = good.split('.')
const strangersKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const foreign = new FakeCluster(() => clock.now, { issuer: 'https://other.example' })

const unproven = (reason: string) =>
  [401, 'caller_unproven', 'Bearer error="invalid_token"', reason] as const
const missing = [401, 'caller_missing', 'Bearer', 'missing'] as const
const elsewhere = [403, 'caller_elsewhere', undefined, 'node_mismatch'] as const
const notPod = [403, 'caller_not_pod', undefined, 'not_pod_bound'] as const

type Row = readonly [
  name: string,
  lines: readonly string[],
  expected: readonly [status: number, code: string, challenge: string | undefined, reason: string],
]

const rows: readonly Row[] = [
  ['no header', [], missing],
  ['an empty header', ['Authorization', ''], missing],
  ['two headers', [...bearer(good), ...bearer(good)], missing],
  ['two headers in other letters', [...bearer(good), 'authorization', `Bearer ${good}`], missing],
  ['another scheme', ['Authorization', `Basic ${good}`], missing],
  ['no scheme', ['Authorization', good], missing],
  ['no token', ['Authorization', 'Bearer'], missing],
  ['the token in another header', ['X-Token', good], missing],
  ['a token and a DPoP scheme', ['Authorization', `DPoP ${good}`], missing],
  ['garbage', bearer('garbage'), unproven('malformed')],
  ['a space before it', bearer(` ${good}`), unproven('malformed')],
  ['two tokens', bearer(`${good},${good}`), unproven('malformed')],
  ['a foreign issuer', bearer(await foreign.token()), unproven('issuer_unknown')],
  [
    'another audience',
    bearer(await tokenOf(analyst, { claims: { aud: ['https://kubernetes.default.svc'] } })),
    unproven('audience_mismatch'),
  ],
  [
    'two audiences',
    bearer(await tokenOf(analyst, { claims: { aud: [cluster.audience, 'b'] } })),
    unproven('audience_many'),
  ],
  [
    'an expired token',
    bearer(await tokenOf(analyst, { claims: { exp: clock.now - 60, iat: clock.now - 660 } })),
    unproven('expired'),
  ],
  [
    'one that expired within the leeway of the verifier',
    bearer(await tokenOf(analyst, { claims: { exp: clock.now, iat: clock.now - 600 } })),
    unproven('expired'),
  ],
  [
    'a pod of another node',
    bearer(await tokenOf(analyst, { bound: { node: { name: 'worker-2', uid: 'n' } } })),
    elsewhere,
  ],
  ['a pod of no node', bearer(await tokenOf(analyst, { bound: { node: undefined } })), elsewhere],
  [
    'a node with such a beginning',
    bearer(await tokenOf(analyst, { bound: { node: { name: 'worker-10', uid: 'n' } } })),
    elsewhere,
  ],
  ['no pod', bearer(await tokenOf(analyst, { bound: { pod: undefined } })), notPod],
  [
    'no pod and no node',
    bearer(await tokenOf(analyst, { bound: { pod: undefined, node: undefined } })),
    notPod,
  ],
  [
    'a stranger’s signature',
    bearer(await tokenOf(analyst, { key: strangersKey })),
    unproven('signature_invalid'),
  ],
  ['no signature', bearer(`${header}.${payload}.`), unproven('malformed')],
  [
    'an unknown key',
    bearer(await tokenOf(analyst, { header: { kid: 'x' } })),
    unproven('key_unknown'),
  ],
  [
    'another payload',
    bearer(
      `${header}.${(await tokenOf({ ...analyst, uid: 'uid-other' })).split('.')[1] ?? ''}.${signature}`,
    ),
    unproven('signature_invalid'),
  ],
]

describe('a caller is refused that shows', () => {
  test.each(rows)('%s', async (_, lines, [status, code, challenge, reason]) => {
    pods.log.lines.length = 0
    const answer = await ask(lines)
    expect([answer.status, answer.code, answer.challenge]).toEqual([status, code, challenge])
    expect(pods.log.lines.map(({ fields }) => fields)).toEqual([
      { event: 'caller.refused', code, reason },
    ])
    expect(await pods.metrics.text()).toContain(`lumo_callers_refused_total{reason="${reason}"}`)
    expect(pods.residents()).toEqual([])
    expect(broker.authority.asked).toEqual([])
    clock.advance(1_000)
  })

  test('what it showed appears nowhere', async () => {
    const said: unknown[] = []
    for (const [, lines] of rows) {
      said.push((await ask(lines)).body)
      clock.advance(1_000)
    }
    const told = JSON.stringify(said) + pods.log.text() + (await pods.metrics.text())
    const parts = rows.flatMap(([, lines]) => lines.join(' ').split(/[ .,]/))
    const secret = parts.filter((part) => part.length > 20)
    expect(secret.length).toBeGreaterThan(20)
    expect(secret.filter((part) => told.includes(part))).toEqual([])
  })
})

test('a token that is too large is refused wherever it stands', async () => {
  pods.log.lines.length = 0
  const shown = await pods.callers.byToken('a'.repeat(16_385), '10.0.0.1')
  expect(shown).toMatchObject({ status: 401, code: 'caller_unproven' })
  expect(pods.log.lines.map(({ fields }) => fields['reason'])).toEqual(['too_large'])
  const { verified } = pods.verifier
  // Of a header Node itself says that it is too large.
  const lines = [
    `Host: ${broker.host}`,
    'Lumo-Broker: true',
    `Authorization: Bearer ${'a'.repeat(16_385)}`,
  ]
  expect((await sendRaw(broker.port, requestText('GET /v1/token HTTP/1.1', lines))).status).toBe(
    431,
  )
  expect(pods.verifier.verified).toBe(verified)
})

test('keys that cannot be had are no fault of the caller', async () => {
  pods.keys.unavailable = { unavailable: 'the issuer is down', retryAfterSeconds: 7 }
  const { status, code, retryAfter, challenge } = await ask(bearer(good))
  pods.keys.unavailable = undefined
  expect({ status, code, retryAfter, challenge }).toEqual({
    status: 503,
    code: 'cannot_verify',
    retryAfter: '7',
    challenge: undefined,
  })
})

test.each(['Bearer', 'bearer', 'BEARER'])(
  'a good token after %s brings a token of its pod',
  async (scheme) => {
    const { status, body } = await ask(['Authorization', `${scheme} ${await tokenOf(analyst)}`])
    expect([status, body['access_token']]).toEqual([
      200,
      `for-${podName(analyst).replaceAll(' ', '-')}`,
    ])
  },
)

test('each route asks who calls', async () => {
  for (const path of ['/v1/token', '/v1/identity', '/v1/unknown']) {
    expect((await ask([], path)).code).toBe('caller_missing')
  }
})
