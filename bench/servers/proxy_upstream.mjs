import { createServer } from 'node:http'

/**
 * What proxies are measured in front of: 1 KB at `/v1/token`, as many bytes as `?bytes=` says at `/v1/large`, and at `/v1/sink`
 * the number of bytes that were sent.
 */
const small = JSON.stringify({ text: 'x'.repeat(1_024 - 11) })
const piece = Buffer.alloc(65_536, 'x')

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname === '/v1/token') {
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-length', String(small.length))
    response.end(small)
  } else if (pathname === '/v1/large') send(response, Number(searchParams.get('bytes')))
  else {
    let bytes = 0
    request.on('data', (chunk) => (bytes += chunk.length))
    request.on('end', () => response.end(String(bytes)))
  }
}).listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('ready\n'))

function send(response, bytes) {
  let left = bytes
  const more = () => {
    while (left > 0) {
      const chunk = left < piece.length ? piece.subarray(0, left) : piece
      left -= chunk.length
      if (!response.write(chunk) && left > 0) {
        response.once('drain', more)
        return
      }
    }
    response.end()
  }
  more()
}
