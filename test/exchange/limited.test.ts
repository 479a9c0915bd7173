import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Exchanger, ExchangeRequest, IssuedToken } from '../../src/exchange/exchanger.ts'
import { limitedExchanger } from '../../src/exchange/limited.ts'
import { tokenTypes } from '../../src/oauth/token_types.ts'
import { begin, proofClaims, proofOf, proofPath, settled, testBroker } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'

const MAX = 16

/** An authority that answers only when it is told to, in the order in which it was asked. */
class SlowAuthority implements Exchanger {
  readonly began: string[] = []
  readonly shown: string[] = []
  mostAtOnce = 0
  #waiting: ((fails: boolean) => void)[] = []

  get underWay(): number {
    return this.#waiting.length
  }

  async exchange({ audiences: [name = ''], subjectToken }: ExchangeRequest): Promise<IssuedToken> {
    this.began.push(name)
    this.shown.push(subjectToken)
    const fails = await new Promise<boolean>((resolve) => {
      this.#waiting.push(resolve)
      this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay)
    })
    if (fails) throw new Error('the exchange broke')
    return { accessToken: name, scope: '', lifetimeSeconds: 60 }
  }

  async answer(fails = false): Promise<void> {
    this.#waiting.shift()?.(fails)
    await settled()
  }

  async answerAll(): Promise<void> {
    while (this.underWay > 0) await this.answer()
  }
}

function wanted(name: string, urgent: boolean): ExchangeRequest {
  return {
    subjectToken: 'proof',
    subjectTokenType: tokenTypes.jwt,
    audiences: [name],
    resources: [],
    scope: undefined,
    clientId: undefined,
    urgent,
  }
}

describe('exchanges', () => {
  test('are under way as many as allowed, and the rest wait', async () => {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 2)
    const asked = ['a', 'b', 'c'].map((name) => limited.exchange(wanted(name, true)))
    expect([authority.began, limited.waiting]).toEqual([['a', 'b'], 1])
    await authority.answer()
    expect([authority.began, limited.waiting]).toEqual([['a', 'b', 'c'], 0])
    await authority.answerAll()
    const tokens = (await Promise.all(asked)) as readonly IssuedToken[]
    expect(tokens.map(({ accessToken }) => accessToken)).toEqual(['a', 'b', 'c'])
  })

  test('that somebody waits for go before the others, each kind in its order', async () => {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 1)
    const order = [
      ['first', true],
      ['ahead 1', false],
      ['ahead 2', false],
      ['urgent 1', true],
      ['urgent 2', true],
    ] as const
    const asked = order.map(([name, urgent]) => limited.exchange(wanted(name, urgent)))
    await authority.answerAll()
    await Promise.all(asked)
    expect(authority.began).toEqual(['first', 'urgent 1', 'urgent 2', 'ahead 1', 'ahead 2'])
  })

  test('that somebody comes to wait for go before the others from then on', async () => {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 1)
    let isAwaited = false
    const late = {
      ...wanted('late', false),
      get urgent() {
        return isAwaited
      },
    }
    const asked = ['first', 'ahead'].map((name) => limited.exchange(wanted(name, false)))
    asked.push(limited.exchange(late))
    isAwaited = true
    await authority.answerAll()
    await Promise.all(asked)
    expect(authority.began).toEqual(['first', 'late', 'ahead'])
  })

  test('of several owners go one for each in turn, the urgent ones first', async () => {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 1)
    const [busy, calm] = [{}, {}]
    const order = [
      ['busy 1', true, busy],
      ['busy 2', true, busy],
      ['busy 3', true, busy],
      ['busy 4', true, busy],
      ['calm ahead', false, calm],
      ['calm 1', true, calm],
      ['calm 2', true, calm],
      ['of nobody', true, undefined],
    ] as const
    const asked = order.map(([name, urgent, owner]) =>
      limited.exchange({ ...wanted(name, urgent), ...(owner && { owner }) }),
    )
    await authority.answerAll()
    await Promise.all(asked)
    expect(authority.began).toEqual([
      'busy 1',
      'busy 2',
      'calm 1',
      'of nobody',
      'busy 3',
      'calm 2',
      'busy 4',
      'calm ahead',
    ])
  })

  test('that break make room as well', async () => {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 1)
    const [broken, next] = ['a', 'b'].map((name) => limited.exchange(wanted(name, true)))
    const outcome = Promise.allSettled([broken])
    await authority.answer(true)
    expect((await outcome)[0]?.status).toBe('rejected')
    expect(authority.began).toEqual(['a', 'b'])
    await authority.answer()
    expect(await next).toMatchObject({ accessToken: 'b' })
  })

  test('whatever comes and goes, never more than allowed, never idle while some wait, all answered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('urgent', 'ahead', 'answer', 'break'), { maxLength: 60 }),
        async (max, steps) => {
          const authority = new SlowAuthority()
          const limited = limitedExchanger(authority, max)
          const asked: Promise<unknown>[] = []
          for (const [index, step] of steps.entries()) {
            if (step === 'answer' || step === 'break') await authority.answer(step === 'break')
            else {
              const exchange = limited.exchange(wanted(String(index), step === 'urgent'))
              asked.push(exchange.catch(() => 'broken'))
            }
            expect(authority.underWay).toBe(Math.min(max, authority.underWay + limited.waiting))
          }
          await authority.answerAll()
          await Promise.all(asked)
          expect(authority.mostAtOnce).toBeLessThanOrEqual(max)
          expect([authority.began.length, limited.waiting]).toEqual([asked.length, 0])
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a broker in front of it', () => {
  function cold() {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, MAX)
    return { authority, limited, broker: testBroker({ maxEntries: 2_000, through: () => limited }) }
  }

  test('with a thousand callers for one token asks once', async () => {
    const { authority, broker } = cold()
    const callers = Array.from({ length: 1_000 }, () => begin(broker, 'audience=a'))
    await settled()
    await authority.answerAll()
    const answers = await Promise.all(callers)
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify({ token: 'a', expiresIn: 60 })]),
    )
    expect(authority.began).toEqual(['a'])
  })

  test('with callers for a thousand tokens asks for sixteen at once, and each gets its own', async () => {
    const { authority, limited, broker } = cold()
    const names = Array.from({ length: 1_000 }, (_, index) => `n${String(index)}`)
    const callers = names.map((name) => begin(broker, `audience=${name}`))
    await settled()
    expect([authority.underWay, limited.waiting]).toEqual([MAX, 1_000 - MAX])
    await authority.answerAll()
    const tokens = (await Promise.all(callers)).map((answer) => 'token' in answer && answer.token)
    expect(tokens).toEqual(names)
    expect(authority.mostAtOnce).toBe(MAX)
    expect(authority.began.toSorted()).toEqual(names.toSorted())
  })

  /** Behind an exchange that hangs, and with another proof in its place when the turn comes. */
  async function behind(proof: string) {
    const authority = new SlowAuthority()
    const limited = limitedExchanger(authority, 1)
    const broker = testBroker({ through: () => limited })
    const first = begin(broker, 'audience=a')
    await settled()
    const second = begin(broker, 'audience=b')
    await settled()
    broker.files.write(proofPath, proof)
    await authority.answerAll()
    await first
    return { authority, outcome: await second }
  }

  test('shows the proof that is there when the turn has come', async () => {
    const now = new FakeClock().now
    const { authority } = await behind(proofOf({ ...proofClaims(now), jti: 'newer' }))
    const shown = authority.shown.map((token) => /"jti":"newer"/.test(claimsText(token)))
    expect(shown).toEqual([false, true])
  })

  test('shows none that ended while it waited, and calls it no refusal', async () => {
    const now = new FakeClock().now
    const { authority, outcome } = await behind(proofOf({ ...proofClaims(now), exp: now - 1 }))
    expect(outcome).toMatchObject({ status: 503, code: 'proof_expired' })
    expect(authority.began).toEqual(['a'])
  })
})

function claimsText(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
}
