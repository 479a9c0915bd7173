import { createServer } from 'node:http'
import Pool from 'undici/lib/dispatcher/pool.js'

/** The reference: `node:http` in front of undici, without guards, without a token, and with nothing judged. */
const { PORT, UPSTREAM } = process.env
const pool = new Pool(UPSTREAM, { connections: 256, allowH2: false })
const ofConnection = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade'])

createServer((request, response) => {
  const headers = {}
  for (const name in request.headers) {
    if (!ofConnection.has(name)) headers[name] = request.headers[name]
  }
  const hasBody =
    request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined
  pool.dispatch(
    { path: request.url, method: request.method, headers, body: hasBody ? request : null },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, answered) {
        for (const name of ofConnection) delete answered[name]
        response.writeHead(status, answered)
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        response.destroy()
      },
    },
  )
}).listen(Number(PORT), '127.0.0.1', () => process.stdout.write('ready\n'))
