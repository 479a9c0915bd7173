import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import {
  HttpFailure,
  nodeHttpClient,
  type HttpAnswer,
  type HttpRequest,
} from '../../../src/platform/http_client.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import type { SignedRequestProvider } from '../../../src/verifier/aws/aws_request.ts'
import { CannotVerify, ProofRefusal } from '../../../src/verifier/refusal.ts'
import { makeCa } from '../../fakes/certificates.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeSts } from '../../fakes/sts.ts'
import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { AwsWorld, AUDIENCE, outcomeOf } from './world.ts'

let world: AwsWorld
beforeEach(async () => {
  world = new AwsWorld(new FakeClock())
  await world.sts.start()
})
afterEach(() => world.sts.close())

const token = () => encodeParts(world.parts())

describe('what is sent to STS', () => {
  test('is built anew', async () => {
    await world.judge(token())
    const { authorization = '', ...headers } = world.sts.seen[0]?.headers ?? {}
    expect(world.sts.seen[0]).toMatchObject({
      method: 'POST',
      path: '/?Action=GetCallerIdentity&Version=2011-06-15',
      body: '',
    })
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=/)
    expect(headers).toEqual({
      host: 'sts.eu-west-1.amazonaws.com',
      'x-amz-date': '20261121T000000Z',
      'x-amz-security-token': world.role.sessionToken,
      'x-lumo-audience': AUDIENCE,
      accept: 'application/json',
      'content-length': '0',
      connection: 'keep-alive',
    })
  })

  test("goes to AWS's own host when no other is configured", async () => {
    const asked: HttpRequest[] = []
    const ask = (request: HttpRequest): Promise<HttpAnswer> => {
      asked.push(request)
      return Promise.reject(new HttpFailure('cannot_connect', 'sts: ECONNREFUSED'))
    }
    expect(
      outcomeOf(await world.judge(token(), world.provider({ endpoint: undefined, ask }))),
    ).toBe('cannot_verify')
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      method: 'POST',
      body: '',
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
      maxBytes: 16_384,
    })
    expect(asked[0]?.url.href).toBe(
      'https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15',
    )
  })

  test('goes to an endpoint of ours under the name of AWS, which its certificate has to have', async () => {
    const ca = await makeCa('private endpoint')
    const outcomes = [['sts.eu-west-1.amazonaws.com'], ['vpce.example']].map(async (names) => {
      const sts = new FakeSts({ clock: world.clock, tls: await ca.issue(names) })
      const credentials = sts.addRole('payments')
      await sts.start()
      onTestFinished(() => sts.close())
      const http = nodeHttpClient(systemClock, {})
      const provider = world.provider({
        endpoint: new URL(sts.origin),
        ask: (request) => http({ ...request, ca: ca.pem }),
      })
      return outcomeOf(await world.judge(encodeParts(world.parts({ credentials })), provider))
    })
    expect(await Promise.all(outcomes)).toEqual(['accepted', 'cannot_verify'])
  })
})

describe('when STS', () => {
  test('does not answer, nothing is said after 5 s', async () => {
    world.sts.failing = 'hang'
    const judged = world.judge(token())
    await world.sts.arrived(1)
    world.clock.advance(5_000)
    const result = await judged
    expect(result).toBeInstanceOf(CannotVerify)
    expect(result).toMatchObject({ provider: 'aws', retryAfterSeconds: 5 })
  })

  test('cannot be reached, nothing is said', async () => {
    const provider = world.provider()
    await world.sts.close()
    expect(outcomeOf(await world.judge(token(), provider))).toBe('cannot_verify')
    await world.sts.start()
  })

  test('is back, the same request is accepted', async () => {
    world.sts.failing = { status: 503 }
    const same = token()
    const provider = world.provider()
    expect(outcomeOf(await world.judge(same, provider))).toBe('cannot_verify')
    world.sts.failing = undefined
    expect(outcomeOf(await world.judge(same, provider))).toBe('accepted')
  })
})

describe('a request that is shown again', () => {
  test('is refused', async () => {
    const same = token()
    const provider = world.provider()
    expect(outcomeOf(await world.judge(same, provider))).toBe('accepted')
    expect(outcomeOf(await world.judge(same, provider))).toBe('replayed')
  })

  test('is refused in another spelling', async () => {
    const parts = world.parts()
    const provider = world.provider()
    expect(outcomeOf(await world.judge(encodeParts(parts), provider))).toBe('accepted')
    const spelled = JSON.stringify({ ...parts, headers: parts.headers.toReversed() }, null, 1)
    expect(outcomeOf(await world.judge(spelled, provider))).toBe('replayed')
  })

  test('at once passes exactly once', async () => {
    const same = token()
    const provider = world.provider()
    const judged = await Promise.all(Array.from({ length: 8 }, () => world.judge(same, provider)))
    const outcomes = judged.map(outcomeOf)
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'replayed')).toHaveLength(7)
  })

  test('is remembered by a hash, for as long as STS takes it and a little more', async () => {
    await world.judge(encodeParts(world.parts({ at: world.clock.now - 100 })))
    const [first] = world.spent
    expect(first?.[0]).toMatch(/^[\w-]{43}$/)
    expect(first?.[1]).toBe(world.clock.now - 100 + 900 + 30)
  })

  test('when the store is out, is not judged', async () => {
    const provider = world.provider({ once: () => Promise.reject(new Error('the store is out')) })
    await expect(world.judge(token(), provider)).rejects.toThrow('the store is out')
  })
})

describe('questions under way', () => {
  /** A provider whose STS answers nothing until it is released. */
  function held(): { provider: SignedRequestProvider; release: () => void } {
    const gate = Promise.withResolvers<HttpAnswer>()
    return {
      provider: world.provider({ ask: () => gate.promise }),
      release: () => {
        gate.reject(new HttpFailure('timeout', 'sts: no answer in time'))
      },
    }
  }

  test('are 16 at most, and the next is told to come back', async () => {
    const { provider, release } = held()
    const judged = Array.from({ length: 16 }, () => world.judge(token(), provider))
    expect(await world.judge(token(), provider)).toMatchObject({ retryAfterSeconds: 1 })
    release()
    expect((await Promise.all(judged)).map(outcomeOf)).toEqual(Array(16).fill('cannot_verify'))
    const ask = world.provider().ask
    expect(outcomeOf(await world.judge(token(), { ...provider, ask }))).toBe('accepted')
  })

  test('of one provider do not count at another', async () => {
    const { provider, release } = held()
    const judged = Array.from({ length: 16 }, () => world.judge(token(), provider))
    expect(outcomeOf(await world.judge(token()))).toBe('accepted')
    release()
    await Promise.all(judged)
  })
})

test('no text that was sent is in what the operator reads', async () => {
  const { accessKeyId, sessionToken } = world.role
  const parts = world.parts()
  const bad = [
    encodeParts({ ...parts, url: `${parts.url}&canary=1` }),
    encodeParts({ ...parts, headers: [...parts.headers, { key: 'canary', value: 'canary' }] }),
    encodeParts({ ...parts, headers: [...parts.headers, { key: 'host', value: 'canary' }] }),
    encodeParts(world.parts({ audience: 'https://canary.example' })),
    encodeParts(world.parts({ credentials: { ...world.role, secretAccessKey: 'canary' } })),
  ]
  for (const one of bad) {
    const result = await world.judge(one)
    expect(result).toBeInstanceOf(ProofRefusal)
    const { detail } = result as ProofRefusal
    expect(detail).not.toMatch(/canary/)
    expect(detail).not.toContain(accessKeyId)
    expect(detail).not.toContain(sessionToken)
  }
})
