import { describe, expect, test } from 'vitest'
import { ProofFault } from '../../src/broker/proof.ts'
import { webIdentityProofs } from '../../src/broker/proof/web_identity.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { proofAudience, proofOf, settled } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeLog } from '../fakes/log.ts'

const ROLE = 'arn:aws:iam::111122223333:role/reporter'

/** STS behind its client: it issues tokens of 300 s, refuses, or keeps everybody waiting. */
class Issuing {
  readonly clock = new FakeClock()
  readonly log = new FakeLog()
  readonly metrics = new PrometheusMetrics()
  asked = 0
  changes: Readonly<Record<string, unknown>> = {}
  answer: string | ProofFault | undefined
  hangs = false
  readonly proofs = webIdentityProofs(proofAudience, () => this.#issue(), this)

  tokenOf(changes: Readonly<Record<string, unknown>> = {}): string {
    return proofOf({
      iss: 'https://11111111.tokens.sts.global.api.aws',
      sub: ROLE,
      aud: proofAudience,
      exp: this.clock.now + 300,
      jti: String(this.asked),
      ...changes,
    })
  }

  /** The token that was read, or the code of the fault. */
  async read(): Promise<string> {
    const proof = await this.proofs.read()
    return proof instanceof ProofFault ? proof.code : proof.token
  }

  #issue(): Promise<string | ProofFault> {
    this.asked += 1
    if (this.hangs) return new Promise(() => {})
    return Promise.resolve(this.answer ?? this.tokenOf(this.changes))
  }
}

test('it is a JWT about the role, and no part of a pod is in it', async () => {
  const sts = new Issuing()
  expect(await sts.proofs.read()).toEqual({
    token: sts.tokenOf(),
    tokenType: 'urn:ietf:params:oauth:token-type:jwt',
    subject: { issuer: 'https://11111111.tokens.sts.global.api.aws', sub: ROLE, instance: '' },
    expiresAt: sts.clock.now + 300,
  })
})

test('the token stays out of what is remembered as the last one', async () => {
  const sts = new Issuing()
  expect(sts.proofs.last()).toBe(undefined)
  await sts.read()
  expect(Object.keys(sts.proofs.last() ?? {}).toSorted()).toEqual(['expiresAt', 'subject'])
})

describe('a token is judged by its form', () => {
  const cases: readonly [string, Readonly<Record<string, unknown>>, string][] = [
    ['without iss', { iss: undefined }, 'proof_malformed'],
    ['without sub', { sub: undefined }, 'proof_malformed'],
    ['without exp', { exp: undefined }, 'proof_malformed'],
    ['for another audience', { aud: 'https://other.example' }, 'proof_wrong_audience'],
    ['for no audience', { aud: undefined }, 'proof_wrong_audience'],
    ['expired', { exp: 1 }, 'proof_expired'],
  ]
  test.each(cases)('%s', async (_name, changes, code) => {
    const sts = new Issuing()
    sts.changes = changes
    expect(await sts.read()).toBe(code)
    expect(await sts.metrics.text()).toContain(`lumo_proof_faults_total{code="${code}"} 1\n`)
  })
  test.each(['', 'no token', 'a.b', 'a'.repeat(16_385)])('the text %.20j', async (text) => {
    const sts = new Issuing()
    sts.answer = text
    expect(await sts.read()).toBe('proof_malformed')
  })
})

describe('a token is used until a minute before its end', () => {
  const cases: readonly [string, (clock: FakeClock) => void, number][] = [
    ['at once', () => {}, 1],
    ['with 61 s left', (clock) => clock.advance(239_000), 1],
    ['with 60 s left', (clock) => clock.advance(240_000), 2],
    ['after its end', (clock) => clock.advance(301_000), 2],
    ['after the wall clock was set forward', (clock) => clock.jump(240_000), 2],
    [
      'although the wall clock was set back meanwhile',
      (clock) => {
        clock.advance(240_000)
        clock.jump(-200_000)
      },
      2,
    ],
  ]
  test.each(cases)('%s', async (_name, pass, asked) => {
    const sts = new Issuing()
    const first = await sts.read()
    pass(sts.clock)
    const second = await sts.read()
    expect([sts.asked, second === first]).toEqual([asked, asked === 1])
  })

  test('one that is short already is used once', async () => {
    const sts = new Issuing()
    sts.changes = { exp: sts.clock.now + 60 }
    await sts.read()
    await sts.read()
    expect(sts.asked).toBe(2)
  })
})

test('many who need one at once share one question', async () => {
  const sts = new Issuing()
  const tokens = await Promise.all(Array.from({ length: 50 }, () => sts.read()))
  expect([sts.asked, new Set(tokens).size]).toEqual([1, 1])
})

describe('what takes too long', () => {
  test('is given up after three seconds, for everybody who waits', async () => {
    const sts = new Issuing()
    sts.hangs = true
    const waiting = [sts.read(), sts.read()]
    sts.clock.advance(2_999)
    expect(await Promise.race([...waiting, settled()])).toBe(undefined)
    sts.clock.advance(1)
    expect(await Promise.all(waiting)).toEqual(['proof_unavailable', 'proof_unavailable'])
    expect(sts.asked).toBe(1)
  })

  test('does not stand in the way of the next', async () => {
    const sts = new Issuing()
    sts.hangs = true
    const late = sts.read()
    sts.clock.advance(3_000)
    await late
    sts.hangs = false
    sts.clock.advance(1_000)
    expect(await sts.read()).toBe(sts.tokenOf())
  })
})

describe('a fault', () => {
  const denied = new ProofFault('proof_denied', 'allow it')

  test('is said again for a second without asking, and then asked about anew', async () => {
    const sts = new Issuing()
    sts.answer = denied
    await sts.read()
    sts.clock.advance(999)
    expect([await sts.read(), sts.asked]).toEqual(['proof_denied', 1])
    sts.clock.advance(1)
    expect([await sts.read(), sts.asked]).toEqual(['proof_denied', 2])
  })

  test('is logged with what to do', async () => {
    const sts = new Issuing()
    sts.answer = denied
    await sts.read()
    expect(sts.log.lines).toEqual([
      {
        level: 'warn',
        message: "the pod's own proof is not usable",
        fields: { code: 'proof_denied', detail: 'allow it' },
      },
    ])
  })

  test('leaves the last good one known', async () => {
    const sts = new Issuing()
    await sts.read()
    const known = sts.proofs.last()
    sts.answer = denied
    sts.clock.advance(240_000)
    expect(await sts.read()).toBe('proof_denied')
    expect(sts.proofs.last()).toBe(known)
  })
})
