import { request } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  exchangeOf,
  FORM,
  secret,
  TOKEN_PATH,
  type Answer,
  type Json,
} from '../fakes/running_authority.ts'
import { postTo } from './beside.ts'

type Form = Readonly<Record<string, string>>

const TOO_MANY = { status: 429, error: 'too_many_requests', code: undefined }
const CREDENTIALS = { grant_type: 'client_credentials' }

/** An authority of the test's own: a budget that is used up is so for all that follows. */
async function limited(limits: Json) {
  const clock = new FakeClock()
  const world = await peopledAuthority({ clock, limits })
  onTestFinished(() => world.stop())
  return { clock, world }
}

const times = async (count: number, ask: () => Promise<Answer>): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let n = 0; n < count; n++) statuses.push((await ask()).status)
  return statuses
}

const all = (count: number, status: number) => Array.from({ length: count }, () => status)

function heldBack(world: Peopled, answer: Answer, retryAfter: string, reason: string): void {
  expect(refusalOf(answer)).toEqual(TOO_MANY)
  expect(answer.headers['retry-after']).toBe(retryAfter)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(world.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason } })
}

const beside = (
  world: Peopled,
  name: 'introspect' | 'revoke' | 'userinfo',
  form: Form,
  headers: Form = asWeb,
) => postTo(world, name, form, headers)

describe('an agent that introspects with its own token', () => {
  test('has a budget for that alone', async () => {
    const { world } = await limited({ clientPerMinute: 1, introspectionsPerMinute: 3 })
    const own = await world.agentToken('doc-analyst')
    const ask = () =>
      beside(world, 'introspect', { token: own }, { authorization: `Bearer ${own}` })
    expect(await times(3, ask)).toEqual(all(3, 200))
    heldBack(world, await ask(), '20', 'introspection_limit')
    // Another has its own.
    const other = await world.agentToken('orchestrator')
    const asOther = { authorization: `Bearer ${other}` }
    expect((await beside(world, 'introspect', { token: other }, asOther)).status).toBe(200)
  })
})

describe('a client', () => {
  test('is held back after its budget, and told for how long', async () => {
    const { world, clock } = await limited({ clientPerMinute: 7 })
    const ask = () => world.post(CREDENTIALS, asWeb)
    expect(await times(7, ask)).toEqual(all(7, 200))
    // A seventh of a minute, in whole seconds.
    heldBack(world, await ask(), '9', 'client_limit')
    clock.advance(4_000)
    heldBack(world, await ask(), '5', 'client_limit')
    clock.advance(5_000)
    expect(await times(1, ask)).toEqual([200])
    heldBack(world, await ask(), '9', 'client_limit')
    // Whoever is held back is not charged for it: a minute later there is all of it again.
    clock.advance(60_000)
    expect(await times(8, ask)).toEqual([...all(7, 200), 429])
  })

  test('has one budget for all of its grants and endpoints', async () => {
    const { world } = await limited({ clientPerMinute: 5 })
    const { refresh_token: token } = await world.signIn()
    const { json } = await world.refresh(token)
    await world.post(CREDENTIALS, asWeb)
    expect((await beside(world, 'introspect', { token: 'x' })).status).toBe(200)
    expect((await beside(world, 'revoke', { token: 'x' })).status).toBe(200)
    heldBack(world, await beside(world, 'introspect', { token: 'x' }), '12', 'client_limit')
    heldBack(world, await beside(world, 'revoke', { token: 'x' }), '12', 'client_limit')
    heldBack(world, await world.refresh(json['refresh_token']), '12', 'client_limit')
  })

  test('takes nothing from another, nor from its namesake in another tenant', async () => {
    const { world } = await limited({ clientPerMinute: 1 })
    expect(await times(2, () => world.post(CREDENTIALS, asWeb))).toEqual([200, 429])
    expect((await world.post(CREDENTIALS, basic('service_b', secret))).status).toBe(200)
    const globex = await world.send({
      method: 'POST',
      path: TOKEN_PATH.replace('acme-corp', 'globex'),
      headers: { ...FORM, ...asWeb },
      body: 'grant_type=client_credentials',
    })
    expect(globex.status).toBe(200)
  })

  test('loses nothing of what a code or refresh token is worth when it is held back', async () => {
    const { world, clock } = await limited({ clientPerMinute: 1 })
    const code = await world.code()
    await world.post(CREDENTIALS, asWeb)
    expect(refusalOf(await world.redeem(code))).toEqual(TOO_MANY)
    clock.advance(60_000)
    const { status, json } = await world.redeem(code)
    expect(status).toBe(200)
    expect(refusalOf(await world.refresh(json['refresh_token']))).toEqual(TOO_MANY)
    clock.advance(60_000)
    expect((await world.refresh(json['refresh_token'])).status).toBe(200)
  })

  const strangers: readonly (readonly [name: string, form: Form, headers: Form])[] = [
    ['a wrong secret', CREDENTIALS, basic('web', 'wrong')],
    ['a wrong secret by post', { ...CREDENTIALS, client_id: 'web', client_secret: 'x' }, {}],
    ['no secret', { ...CREDENTIALS, client_id: 'web' }, {}],
    ['two secrets', { ...CREDENTIALS, client_secret: secret }, asWeb],
    ['a made-up code of a public client', codeOfSpa(), {}],
    ['a made-up refresh token of a public client', refreshOfSpa(), {}],
  ]
  test.each(strangers)('is not charged for %s', async (_, form, headers) => {
    const { world } = await limited({ clientPerMinute: 1 })
    const statuses = await times(5, () => world.post(form, headers))
    expect(statuses).not.toContain(429)
    expect((await world.post(CREDENTIALS, asWeb)).status).toBe(200)
  })
})

function codeOfSpa(): Form {
  const code = { code: 'x'.repeat(43), redirect_uri: 'https://spa.example/callback' }
  return { grant_type: 'authorization_code', client_id: 'spa', ...code }
}

function refreshOfSpa(): Form {
  const refreshToken = `${'A'.repeat(48)}.${'A'.repeat(43)}`
  return { grant_type: 'refresh_token', client_id: 'spa', refresh_token: refreshToken }
}

describe('a workload', () => {
  const proofOf = async ({ cluster }: Peopled, uid: string) =>
    exchangeOf(await cluster.token({ bound: { pod: { name: 'doc-analyst-0', uid } } }))

  test('has a budget for each pod: 200 replicas start at once, and one that goes on is held back', async () => {
    const { world, clock } = await limited({ workloadPerMinute: 2, clientPerMinute: 1 })
    const pods = Array.from({ length: 200 }, (_, n) => `pod-${String(n)}`)
    const forms = await Promise.all(pods.map((uid) => proofOf(world, uid)))
    const answers = await Promise.all(forms.map((form) => world.post(form)))
    expect(answers.map(({ status }) => status)).toEqual(all(200, 200))

    const again = await proofOf(world, 'pod-7')
    expect((await world.post(again)).status).toBe(200)
    heldBack(world, await world.post(again), '30', 'workload_limit')
    // Another token of the same pod is the same pod.
    heldBack(world, await world.post(await proofOf(world, 'pod-7')), '30', 'workload_limit')
    expect((await world.post(await proofOf(world, 'pod-8'))).status).toBe(200)
    clock.advance(30_000)
    expect((await world.post(await proofOf(world, 'pod-7'))).status).toBe(200)
  })

  test('is not charged for a proof that anybody could have written', async () => {
    const { world } = await limited({ workloadPerMinute: 1 })
    const good = await proofOf(world, 'pod-1')
    const forged = { ...good, subject_token: `${good.subject_token.slice(0, -8)}AAAAAAAA` }
    expect(await times(5, () => world.post(forged))).toEqual(all(5, 400))
    expect((await world.post(good)).status).toBe(200)
  })

  test('is charged for what it may not have: it asked', async () => {
    const { world } = await limited({ workloadPerMinute: 2 })
    const form = { ...(await proofOf(world, 'pod-1')), scope: 'admin' }
    expect(await times(3, () => world.post(form))).toEqual([400, 400, 429])
  })
})

/** Over a connection from another address of this machine. */
function sendFrom(localAddress: string, port: number, form: Form, headers: Form): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        localAddress,
        method: 'POST',
        path: TOKEN_PATH,
        headers: { ...FORM, ...headers },
        agent: false,
      },
      (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode ?? 0)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(new URLSearchParams(form).toString())
  })
}

interface Failure {
  readonly name: string
  readonly ask: (world: Peopled) => Promise<Answer>
}

const failures: readonly Failure[] = [
  { name: 'a wrong secret', ask: (world) => world.post(CREDENTIALS, basic('web', 'x')) },
  { name: 'an unknown client', ask: (world) => world.post(CREDENTIALS, basic('nobody', 'x')) },
  { name: 'a false proof', ask: (world) => world.post(exchangeOf('e30.e30.AAAA')) },
  { name: 'a made-up code', ask: (world) => world.post(codeOfSpa()) },
  { name: 'a made-up refresh token', ask: (world) => world.post(refreshOfSpa()) },
  { name: 'what is no request', ask: (world) => world.post({}) },
  {
    name: 'a wrong secret at introspection',
    ask: (world) => beside(world, 'introspect', { token: 'x' }, basic('web', 'x')),
  },
  {
    name: 'a wrong secret at revocation',
    ask: (world) => beside(world, 'revoke', { token: 'x' }, basic('web', 'x')),
  },
  {
    name: 'a made-up token at userinfo',
    ask: (world) => beside(world, 'userinfo', {}, { authorization: 'Bearer x' }),
  },
]

const rowsOf = ({ withStore }: Peopled) => withStore((store) => store.auditTail(undefined, 1_000))

describe('an address that fails', () => {
  for (const { name, ask } of failures) {
    test(`too often is held back where it fails, and served where it does not: ${name}`, async () => {
      const { world, clock } = await limited({ failuresPerMinute: 4 })
      const statuses = await times(4, () => ask(world))
      expect(statuses.every((status) => status === 400 || status === 401)).toBe(true)
      const { length: recorded } = await rowsOf(world)
      heldBack(world, await ask(world), '15', 'failure_limit')
      heldBack(world, await beside(world, 'userinfo', {}, {}), '15', 'failure_limit')
      // Nor does it fill the store, and whoever shares its address is served.
      expect(await rowsOf(world)).toHaveLength(recorded)
      expect((await world.post(CREDENTIALS, asWeb)).status).toBe(200)
      expect((await beside(world, 'introspect', { token: 'x' })).status).toBe(200)
      clock.advance(15_000)
      expect((await ask(world)).status).not.toBe(429)
    })
  }

  test('holds no other address back, whatever a header says', async () => {
    const { world } = await limited({ failuresPerMinute: 2 })
    const wrong = basic('web', 'x')
    const claimed = { 'x-forwarded-for': '127.0.0.3', forwarded: 'for=127.0.0.3' }
    for (const status of [401, 401, 429]) {
      const headers = { ...wrong, ...claimed }
      expect(await sendFrom('127.0.0.2', world.port, CREDENTIALS, headers)).toBe(status)
    }
    expect(await sendFrom('127.0.0.2', world.port, CREDENTIALS, asWeb)).toBe(200)
    expect(await sendFrom('127.0.0.3', world.port, CREDENTIALS, wrong)).toBe(401)
  })

  const noFailures: readonly Failure[] = [
    {
      name: 'what a client may not have',
      ask: (world) => world.post({ ...CREDENTIALS, scope: 'x' }, asWeb),
    },
    { name: 'a made-up code of a client that is known', ask: (world) => world.redeem('x') },
    {
      name: 'a made-up token at introspection',
      ask: (world) => beside(world, 'introspect', { token: 'x' }),
    },
    {
      name: 'a made-up token at revocation',
      ask: (world) => beside(world, 'revoke', { token: 'x' }),
    },
    { name: 'a method that is not served', ask: (world) => world.send({ method: 'GET' }) },
    { name: 'what is served', ask: (world) => world.post(CREDENTIALS, asWeb) },
  ]
  for (const { name, ask } of noFailures) {
    test(`is not what asks for this: ${name}`, async () => {
      const { world } = await limited({ failuresPerMinute: 1 })
      await times(4, () => ask(world))
      expect((await world.post(CREDENTIALS, asWeb)).status).toBe(200)
    })
  }
})
