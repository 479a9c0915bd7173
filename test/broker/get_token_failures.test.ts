import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { plainWish } from '../../src/broker/wish.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import {
  ask,
  begin,
  pass,
  proofClaims,
  proofOf,
  proofPath,
  settled,
  testBroker,
  type TestBroker,
} from '../fakes/broker.ts'

const outage = (retryAfter?: number) =>
  new ExchangeFailure('outage', 'authority_unavailable', 'it answered 503', retryAfter)
const out = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')
const refusal = (error: string) => new ExchangeFailure('refused', error, 'it answered 403')
const relay = (error: string) => new ExchangeFailure('relayed', error, 'it answered 400')

const refused = (error: string) => ({ status: 403, error, code: 'authority_refused' })
const relayed = (error: string) => ({ status: 400, error, code: 'request_refused' })
const unavailable = {
  status: 503,
  error: 'temporarily_unavailable',
  code: 'authority_unavailable',
}

/** A broker that holds a token which is below its floor. */
async function holdingBroker(): Promise<TestBroker> {
  const broker = testBroker()
  await ask(broker)
  broker.clock.advance(3_500_000)
  return broker
}

describe('an outage', () => {
  test.each([
    ['says nothing', undefined, 1],
    ['asks for 8 s', 8, 8],
    ['asks for a minute', 60, 60],
  ])('that %s gives Retry-After', async (_name, given, expected) => {
    const broker = testBroker()
    broker.authority.fail(outage(given))
    const asked = broker.getToken.byExchange(broker.workload, plainWish)
    await pass(broker.clock, 8_000)
    const result = await asked
    expect(result).toBeInstanceOf(BrokerError)
    expect(result).toMatchObject({ code: 'authority_unavailable', retryAfterSeconds: expected })
  })

  test('is not remembered: the next caller asks again', async () => {
    const broker = testBroker()
    broker.authority.fail(outage())
    expect(await ask(broker)).toEqual(unavailable)
    broker.authority.recover()
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })

  test('is counted each time and logged once, with its detail', async () => {
    const broker = testBroker()
    broker.authority.fail(outage())
    await ask(broker)
    const { length } = broker.authority.asked
    expect(await broker.metrics.text()).toContain(
      `lumo_exchanges_total{outcome="outage"} ${String(length)}\n`,
    )
    expect(broker.log.lines).toEqual([
      {
        level: 'warn',
        message: 'an exchange brought no token',
        fields: { outcome: 'outage', error: 'authority_unavailable', detail: 'it answered 503' },
      },
    ])
  })

  test('is told again after a minute, and at once when it is another one', async () => {
    const broker = testBroker()
    const details = () => broker.log.lines.map(({ fields }) => fields['detail'])
    broker.authority.fail(outage())
    await ask(broker)
    broker.clock.advance(40_000)
    await ask(broker)
    expect(details()).toEqual(['it answered 503'])
    broker.authority.fail(out)
    await ask(broker)
    expect(details()).toEqual(['it answered 503', 'ECONNREFUSED'])
    broker.clock.advance(60_000)
    await ask(broker)
    expect(details()).toEqual(['it answered 503', 'ECONNREFUSED', 'ECONNREFUSED'])
  })
})

describe('an authority that says when it can be asked again', () => {
  test('is asked then, and its caller gets a token', async () => {
    const broker = testBroker()
    broker.authority.fail(outage(5))
    const asked = begin(broker)
    await settled()
    broker.authority.recover()
    broker.clock.advance(4_999)
    await settled()
    expect(broker.authority.asked).toHaveLength(1)
    broker.clock.advance(1)
    expect(await asked).toEqual({ token: 'token-1', expiresIn: 3_600 })
    expect(broker.authority.asked).toHaveLength(2)
  })

  test('is given up after 8 s in all', async () => {
    const broker = testBroker()
    broker.authority.fail(outage(3))
    const { now } = broker.clock
    expect(await ask(broker)).toEqual(unavailable)
    expect(broker.authority.asked).toHaveLength(3)
    expect(broker.clock.now - now).toBe(6)
  })

  test('is not asked again after a refusal', async () => {
    const broker = testBroker()
    broker.authority.fail(new ExchangeFailure('refused', 'access_denied', 'it answered 403', 1))
    expect(await ask(broker)).toEqual(refused('access_denied'))
    expect(broker.authority.asked).toHaveLength(1)
  })
})

describe('a refusal', () => {
  const errors = ['invalid_client', 'access_denied', 'unauthorized_client', 'invalid_grant']
  test.each(errors)('is 403 with the error %s of the authority', async (error) => {
    const broker = testBroker()
    broker.authority.fail(refusal(error))
    expect(await ask(broker)).toEqual(refused(error))
  })

  test('drops what is held at once', async () => {
    const broker = await holdingBroker()
    broker.authority.fail(refusal('access_denied'))
    expect(await ask(broker)).toEqual(refused('access_denied'))
    expect(broker.cache.size).toBe(0)
  })

  test.each([
    [0, refused('access_denied'), 1],
    [9_999, refused('access_denied'), 1],
    [10_000, { token: 'token-1', expiresIn: 3_600 }, 2],
  ])('is remembered: after %i ms', async (ms, expected, exchanges) => {
    const broker = testBroker()
    broker.authority.fail(refusal('access_denied'))
    await ask(broker)
    broker.authority.recover()
    broker.clock.advance(ms)
    expect(await ask(broker)).toEqual(expected)
    expect(broker.authority.asked).toHaveLength(exchanges)
  })

  test('is remembered anew when it comes again', async () => {
    const broker = testBroker()
    broker.authority.fail(refusal('access_denied'))
    await ask(broker)
    broker.clock.advance(10_000)
    await ask(broker)
    broker.clock.advance(9_999)
    await ask(broker)
    expect(broker.authority.asked).toHaveLength(2)
  })

  test('of one key is nothing to another', async () => {
    const broker = testBroker()
    await ask(broker, 'audience=b')
    broker.authority.fail(refusal('access_denied'))
    await ask(broker, 'audience=a')
    expect(await ask(broker, 'audience=b')).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })

  test('is forgotten by clear()', async () => {
    const broker = testBroker()
    broker.authority.fail(refusal('access_denied'))
    await ask(broker)
    broker.authority.recover()
    broker.cache.clear()
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })
})

describe('a relayed error', () => {
  test.each(['invalid_scope', 'invalid_target', 'invalid_request'])('%s is 400', async (error) => {
    const broker = testBroker()
    broker.authority.fail(relay(error))
    expect(await ask(broker)).toEqual(relayed(error))
  })

  test('is not remembered', async () => {
    const broker = testBroker()
    broker.authority.fail(relay('invalid_scope'))
    await ask(broker)
    broker.authority.recover()
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })

  test('reaches the caller though something is held: it is no outage', async () => {
    const broker = await holdingBroker()
    broker.authority.fail(relay('invalid_target'))
    expect(await ask(broker)).toEqual(relayed('invalid_target'))
  })
})

/** What the kubelet, or whoever wrote the pod, can leave in the place of the proof. */
const faults: readonly [name: string, spoil: (broker: TestBroker) => void, code: string][] = [
  [
    'absent',
    ({ files }) => {
      files.remove(proofPath)
    },
    'proof_missing',
  ],
  [
    'unreadable',
    ({ files }) => {
      files.forbid(proofPath)
    },
    'proof_unreadable',
  ],
  ['too long', write(() => 'a'.repeat(16_385)), 'proof_unreadable'],
  ['empty', write(() => ''), 'proof_empty'],
  ['white space', write(() => ' \n\t\n'), 'proof_empty'],
  ['half-written', write((good) => good.slice(0, good.lastIndexOf('.'))), 'proof_malformed'],
  ['no JWT', write(() => 'not a token'), 'proof_malformed'],
  ['two tokens', write((good) => `${good}\n${good}`), 'proof_malformed'],
  ['without iss', withClaims({ iss: undefined }), 'proof_malformed'],
  ['without sub', withClaims({ sub: undefined }), 'proof_malformed'],
  ['without exp', withClaims({ exp: undefined }), 'proof_malformed'],
  ['with a textual exp', withClaims({ exp: '9999999999' }), 'proof_malformed'],
  ['without aud', withClaims({ aud: undefined }), 'proof_wrong_audience'],
  ['for the API server', withClaims({ aud: ['https://k.example'] }), 'proof_wrong_audience'],
  ['for nobody', withClaims({ aud: [] }), 'proof_wrong_audience'],
  ['expired', withClaims({ exp: 1 }), 'proof_expired'],
]

function write(text: (good: string) => string): (broker: TestBroker) => void {
  return ({ files, clock }) => {
    files.write(proofPath, text(proofOf(proofClaims(clock.now))))
  }
}

function withClaims(claims: Readonly<Record<string, unknown>>): (broker: TestBroker) => void {
  return ({ files, clock }) => {
    files.write(proofPath, proofOf({ ...proofClaims(clock.now), ...claims }))
  }
}

const proofFault = (code: string) => ({ status: 503, error: 'temporarily_unavailable', code })

describe('an own proof that is', () => {
  test.each(faults)('%s at the start: its own code', async (_name, spoil, code) => {
    const broker = testBroker()
    spoil(broker)
    expect(await ask(broker)).toEqual(proofFault(code))
    expect(broker.authority.asked).toEqual([])
    expect(await broker.metrics.text()).toContain(`lumo_proof_faults_total{code="${code}"} 1\n`)
  })

  test.each(faults)('%s later: what is cached is served', async (_name, spoil, code) => {
    const broker = testBroker()
    await ask(broker)
    spoil(broker)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
    expect(await ask(broker, 'audience=other')).toEqual(proofFault(code))
  })

  test.each(faults)('%s below the floor: what is held is served', async (_name, spoil) => {
    const broker = await holdingBroker()
    spoil(broker)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 100 })
    expect(broker.authority.asked).toHaveLength(1)
  })

  test.each(faults)('%s and is mended: it is read again', async (_name, spoil) => {
    const broker = testBroker()
    spoil(broker)
    await ask(broker)
    write((good) => good)(broker)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })
})

describe('the own proof', () => {
  test('is read anew before every exchange', async () => {
    const broker = testBroker()
    const proofs = [1, 2, 3].map((number) =>
      proofOf({ ...proofClaims(broker.clock.now), jti: String(number) }),
    )
    for (const proof of proofs) {
      broker.files.write(proofPath, `${proof}\n`)
      await ask(broker, `audience=a${String(broker.authority.asked.length)}`)
    }
    expect(broker.authority.asked.map(({ subjectToken }) => subjectToken)).toEqual(proofs)
  })

  test.each([
    ['a text', 'https://auth.example/t/acme-corp/api/v1'],
    ['one of several', ['https://k.example', 'https://auth.example/t/acme-corp/api/v1']],
  ])('may have its audience as %s', async (_name, aud) => {
    const broker = testBroker()
    withClaims({ aud })(broker)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  })

  test('is told to expire by the wall clock, at its very second', async () => {
    const broker = testBroker()
    withClaims({ exp: broker.clock.now + 60 })(broker)
    broker.clock.jump(59_000)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
    broker.clock.jump(1_000)
    expect(await ask(broker, 'audience=a')).toEqual(proofFault('proof_expired'))
  })

  test('never reaches the log', async () => {
    for (const [, spoil] of faults) {
      const broker = testBroker()
      spoil(broker)
      await ask(broker)
      expect(broker.log.lines).toHaveLength(1)
      expect(broker.log.text()).not.toContain('eyJ')
    }
  })
})
