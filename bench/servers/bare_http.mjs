import { createServer } from 'node:http'

/** The reference: `node:http` and nothing else. */
createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end('{}')
}).listen(Number(process.env['PORT']), '127.0.0.1', () => {
  process.stdout.write('ready\n')
})
