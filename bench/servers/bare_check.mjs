import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'

/** The reference: one Fastify route that verifies the token by the keys of its issuer, and answers the bytes of its environment. */
const { BODY: body = '', PORT: port, ISSUER: issuer = '' } = process.env
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
const app = Fastify()
app.post('/check', async (request, reply) => {
  const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
  await jwtVerify(token, keys, { issuer, typ: 'at+jwt' })
  return reply
    .headers({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    .send(body)
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write('ready\n')
