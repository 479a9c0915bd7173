import { describe, expect, test } from 'vitest'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'
import { FakeClock } from '../fakes/clock.ts'
import { answering, speaking } from '../fakes/peer.ts'

describe('time', () => {
  test('to connect runs out while TLS does not come to its end', async () => {
    const clock = new FakeClock()
    const connected = Promise.withResolvers<void>()
    const host = await speaking((socket) => {
      socket.once('data', () => {
        connected.resolve()
      })
    })
    const asked = outcomeOf(nodeHttpClient(clock, {})(requestTo(`https://${host}`)))
    await connected.promise
    clock.advance(5_000)
    expect(await asked).toEqual(['connect_timeout', `${host}: no connection in time`])
  })

  test('to answer runs out, and the time to connect does not once there is a connection', async () => {
    const clock = new FakeClock()
    const asking = Promise.withResolvers<void>()
    const host = await answering(() => {
      asking.resolve()
    })
    const asked = outcomeOf(nodeHttpClient(clock, {})(requestTo(`http://${host}`)))
    await asking.promise
    clock.advance(9_999)
    clock.advance(1)
    expect(await asked).toEqual(['timeout', `${host}: no answer in time`])
  })

  test('to answer runs out in the middle of the body', async () => {
    const clock = new FakeClock()
    const begun = Promise.withResolvers<void>()
    const host = await answering((_, response) => {
      response.write('half', () => {
        begun.resolve()
      })
    })
    const asked = outcomeOf(nodeHttpClient(clock, {})(requestTo(`http://${host}`)))
    await begun.promise
    clock.advance(10_000)
    expect((await asked)[0]).toBe('timeout')
  })

  test('that runs out closes the connection', async () => {
    const clock = new FakeClock()
    const closed = Promise.withResolvers<void>()
    const asking = Promise.withResolvers<void>()
    const host = await speaking((socket) => {
      socket.once('data', () => {
        asking.resolve()
      })
      socket.once('close', () => {
        closed.resolve()
      })
    })
    const asked = outcomeOf(nodeHttpClient(clock, {})(requestTo(`http://${host}`)))
    await asking.promise
    clock.advance(10_000)
    expect((await asked)[0]).toBe('timeout')
    await closed.promise
  })

  test('that runs out after the answer does no harm', async () => {
    const clock = new FakeClock()
    const host = await answering((_, response) => response.end('in time'))
    const asked = nodeHttpClient(clock, {})(requestTo(`http://${host}`))
    await asked
    clock.advance(60_000)
    expect(await outcomeOf(asked)).toEqual([200, 'in time'])
  })
})
