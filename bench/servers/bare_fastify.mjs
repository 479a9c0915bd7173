import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

/**
 * The reference: one Fastify route that answers the bytes of its environment, and does nothing else. With TLS where it is
 * given a certificate.
 */
const { BODY: body = '', PORT: port, CERT: cert, KEY: key } = process.env
const app = Fastify({
  ...(cert && { https: { cert: readFileSync(cert), key: readFileSync(key) } }),
})
app.get('/v1/token', (_request, reply) =>
  reply.headers({ 'content-type': 'application/json', 'cache-control': 'no-store' }).send(body),
)
await app.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write('ready\n')
