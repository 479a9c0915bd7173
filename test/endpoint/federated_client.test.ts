import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, describe, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import { basic, secret, type Answer, type Json } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const UNPROVEN = { status: 401, error: 'invalid_client', code: undefined }

const sign = (claims: Json) => world.assertion(claims)
const show = (assertion: string, form: Form): Promise<Answer> =>
  world.post({
    grant_type: 'client_credentials',
    client_assertion_type: JWT_BEARER,
    client_assertion: assertion,
    ...form,
  })

async function expectRefused(answer: Promise<Answer>, detail?: string): Promise<void> {
  expect(refusalOf(await answer)).toEqual(UNPROVEN)
  if (detail !== undefined) expect(world.log.lines.at(-1)?.fields['detail']).toBe(detail)
}

const now = () => clock.now

describe('a client proves itself by the token of its pod', () => {
  const NOT_ITS_POD = 'client portal: the pod is not the one of its registration'
  const NONE = 'no client of this client_id is proven by a platform'
  const portal = { client_id: 'portal' }

  test('again and again, as the kubelet hands it out', async () => {
    const proof = await world.proofOf('portal')
    for (let n = 0; n < 3; n++) {
      const answer = await show(proof, portal)
      expect(answer.status).toBe(200)
      expect(decodeJwt(String(answer.json['access_token']))).toMatchObject({
        sub: 'portal',
        client_id: 'portal',
      })
    }
  })

  const others: readonly (readonly [name: string, agent: string, form: Form, detail: string])[] = [
    ['another service account', 'doc-analyst', portal, NOT_ITS_POD],
    ['no client_id', 'portal', {}, NONE],
    ['a client with secrets', 'portal', { client_id: 'web' }, NONE],
    ['a client with a key', 'portal', { client_id: 'signing' }, NONE],
    ['an unknown client', 'portal', { client_id: 'x' }, NONE],
    ['an agent', 'doc-analyst', { client_id: 'doc-analyst' }, NONE],
  ]
  test.each(others)('but not with %s', async (_, agent, form, detail) => {
    await expectRefused(show(await world.proofOf(agent), form), detail)
  })

  test('but not by one of another namespace, audience, time or key', async () => {
    const { cluster } = world
    const sub = 'system:serviceaccount:research:portal'
    const bound = { serviceaccount: { name: 'portal', uid: '1' } }
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const elsewhere = { ...bound, namespace: 'kube-system' }
    const tokens = [
      cluster.token({ claims: { sub: sub.replace('research', 'kube-system') }, bound: elsewhere }),
      cluster.token({ claims: { sub, aud: ['https://kubernetes.default.svc'] }, bound }),
      cluster.token({ claims: { sub, exp: now() - 3_600, iat: now() - 7_200 }, bound }),
      cluster.token({ claims: { sub }, bound, key: privateKey }),
      cluster.token({ claims: { sub, iss: 'https://other.example' }, bound }),
    ]
    expect((await show(await cluster.token({ claims: { sub }, bound }), portal)).status).toBe(200)
    for (const token of await Promise.all(tokens)) await expectRefused(show(token, portal))
  })

  test('but not by an assertion of its own making, nor by a secret', async () => {
    const made = await sign({ iss: 'portal', sub: 'portal' })
    await expectRefused(show(made, portal), 'client portal: private_key_jwt is not its method')
    const answer = await world.post({ grant_type: 'client_credentials' }, basic('portal', secret))
    expect(refusalOf(answer)).toEqual(UNPROVEN)
  })
})
