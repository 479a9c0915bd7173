import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { boundBodies, BodiesFault } from '../../src/webhook/bodies.ts'

const LONGEST = 4_194_304
let app: FastifyInstance
let release: () => void = () => {}

beforeEach(() => {
  app = Fastify({ trustProxy: true, bodyLimit: LONGEST })
  boundBodies(app, LONGEST)
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof BodiesFault ? 429 : 500).send({}),
  )
  const held = new Promise<void>((resolve) => (release = resolve))
  app.post('/wait', async () => {
    await held
    return {}
  })
  app.post('/', () => ({}))
})

afterEach(() => app.close())

/** From another address each, as `trustProxy` has it. */
async function send(url: string, from: string, length: number) {
  return await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    payload: JSON.stringify('x'.repeat(length - 2)),
  })
}

test('an address has its share, and gives it back', async () => {
  const waiting = [send('/wait', '10.0.0.1', LONGEST), send('/wait', '10.0.0.1', LONGEST)]
  await expect.poll(async () => (await send('/', '10.0.0.1', 10)).statusCode).toBe(429)
  expect((await send('/', '10.0.0.2', LONGEST)).statusCode).toBe(200)
  release()
  await Promise.all(waiting)
  expect((await send('/', '10.0.0.1', LONGEST)).statusCode).toBe(200)
})

test('all together have a bound', async () => {
  const waiting = ['1', '2', '3', '4'].flatMap((last) => [
    send('/wait', `10.0.0.${last}`, LONGEST),
    send('/wait', `10.0.0.${last}`, LONGEST),
  ])
  await expect.poll(async () => (await send('/', '10.0.0.9', 10)).statusCode).toBe(429)
  release()
  await Promise.all(waiting)
  expect((await send('/', '10.0.0.9', 10)).statusCode).toBe(200)
})
