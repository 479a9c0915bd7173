import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import type { Answer, Json } from '../fakes/running_authority.ts'
import { postTo } from './beside.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const UNPROVEN = { status: 401, error: 'invalid_client', code: undefined }

const sign = (claims: Json = {}) => world.assertion(claims)
const assertionForm = (assertion: string): Form => ({
  client_assertion_type: JWT_BEARER,
  client_assertion: assertion,
})
const show = (assertion: string, form: Form = {}): Promise<Answer> =>
  world.post({ grant_type: 'client_credentials', ...assertionForm(assertion), ...form })

async function expectRefused(answer: Promise<Answer>, detail: string): Promise<void> {
  expect(refusalOf(await answer)).toEqual(UNPROVEN)
  expect(world.log.lines.at(-1)?.fields['detail']).toBe(detail)
}

const now = () => clock.now

/** The order of the group of P-256 (FIPS 186-5): where (r, s) is a signature, (r, -s) is one too. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

function withTheOtherSignature(assertion: string): string {
  const [header = '', payload = '', signature = ''] = assertion.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
  return `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url')}`
}

describe('an assertion is good once:', () => {
  const BEFORE = 'client signing: it was shown before'

  test('the same, the same in its other signature, and another of the same jti', async () => {
    const assertion = await sign({ jti: 'once', exp: now() + 300 })
    expect((await show(assertion)).status).toBe(200)
    await expectRefused(show(assertion), BEFORE)
    await expectRefused(show(withTheOtherSignature(assertion)), BEFORE)
    await expectRefused(show(await sign({ jti: 'once' })), BEFORE)
    clock.advance(299_000)
    await expectRefused(show(assertion), BEFORE)
    clock.advance(1_000)
    await expectRefused(show(assertion), 'client signing: exp is missing or has passed')
    expect((await show(await sign({ jti: 'once' }))).status).toBe(200)
  })

  test('of 20 at once, one', async () => {
    const assertion = await sign()
    const answers = await Promise.all(Array.from({ length: 20 }, () => show(assertion)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
  })

  test('not at another endpoint either', async () => {
    const assertion = await sign()
    const introspect = () =>
      postTo(world, 'introspect', { token: 'x', ...assertionForm(assertion) }, {})
    expect((await introspect()).json).toEqual({ active: false })
    await expectRefused(introspect(), BEFORE)
    await expectRefused(show(assertion), BEFORE)
  })

  test('one that was refused can be shown again, when it has become right', async () => {
    const assertion = await sign({ nbf: now() + 40, exp: now() + 200 })
    await expectRefused(show(assertion), 'client signing: nbf lies ahead')
    clock.advance(20_000)
    expect((await show(assertion)).status).toBe(200)
  })
})
