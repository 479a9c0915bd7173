import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

/** The reference: one Fastify route that parses a body of JSON and sends it back, over TLS, and does nothing else. */
const { PORT: port, CERT: cert, KEY: key } = process.env
const app = Fastify({
  bodyLimit: 8_388_608,
  https: { cert: readFileSync(cert), key: readFileSync(key) },
})
app.post('/mutate', (request, reply) => reply.send(request.body))
await app.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write('ready\n')
