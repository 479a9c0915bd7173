import Fastify from 'fastify'

/** The reference: one Fastify route that answers the bytes of its environment, and does nothing else. */
const app = Fastify()
const body = process.env['BODY'] ?? ''
app.get('/v1/token', (_request, reply) =>
  reply.headers({ 'content-type': 'application/json', 'cache-control': 'no-store' }).send(body),
)
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
process.stdout.write('ready\n')
