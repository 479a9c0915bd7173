import { describe, expect, test } from 'vitest'
import {
  asking,
  docs,
  eventually,
  openLine,
  startProxy,
  startUpstream,
  type Answering,
} from './world.ts'

const session = { kind: 'session', id: 's1' } as const

async function start(answer: Answering) {
  const upstream = await startUpstream(answer)
  const proxy = await startProxy({ routes: [docs(upstream.origin, { onBehalfOf: 'subject' })] })
  const open = (id: string) =>
    openLine(proxy.port, asking(proxy.host, 'GET /docs/a HTTP/1.1', [`Lumo-Session: ${id}`]))
  return { upstream, proxy, open }
}

describe('when a token has ended', () => {
  test('a stream that was begun with it breaks off, and no other', async () => {
    const closed: string[] = []
    const { proxy, open } = await start((request, response) => {
      const { authorization = '' } = request.headers
      response.on('close', () => closed.push(authorization))
      response.write('event')
    })
    const [one, two] = [await open('s1'), await open('s2')]
    await Promise.all([one.until('event'), two.until('event')])
    proxy.bearers.end(session)
    expect(await one.over).toBe('end')
    expect(one.text()).not.toContain('0\r\n\r\n')
    await eventually(() => closed.length > 0)
    expect(closed).toEqual(['Bearer session-s1-1'])
    expect(two.socket.closed).toBe(false)
  })

  test('a request that waits for its answer is refused', async () => {
    let isClosed = false
    const { upstream, proxy, open } = await start((_, response) => {
      response.on('close', () => {
        isClosed = true
      })
    })
    const line = await open('s1')
    await eventually(() => upstream.seen.length === 1)
    proxy.bearers.end(session)
    expect(await line.until('proxy_access_ended')).toContain('HTTP/1.1 403 Forbidden')
    await eventually(() => isClosed)
  })

  test('the next request has another', async () => {
    const { upstream, proxy, open } = await start((_, response) => response.end('hello'))
    await (await open('s1')).until('hello')
    proxy.bearers.end(session)
    await (await open('s1')).until('hello')
    expect(upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer session-s1-1',
      'Bearer session-s1-2',
    ])
  })
})

describe('when the proxy closes', () => {
  test('what runs may end within the grace', async () => {
    let finish = (): void => {}
    const { upstream, proxy, open } = await start((_, response) => {
      finish = () => response.end('hello')
    })
    const line = await open('s1')
    await eventually(() => upstream.seen.length === 1)
    const closing = proxy.proxy.close(60_000)
    finish()
    await line.until('hello')
    await eventually(() => {
      proxy.clock.advance(50)
      return line.socket.closed
    })
    await closing
  })

  test('a stream breaks off after it', async () => {
    const { proxy, open } = await start((_, response) => response.write('event'))
    const line = await open('s1')
    await line.until('event')
    const closing = proxy.proxy.close(5_000)
    proxy.clock.advance(4_900)
    expect(line.socket.closed).toBe(false)
    proxy.clock.advance(200)
    await line.over
    await closing
    expect(line.text()).not.toContain('0\r\n\r\n')
  })
})
