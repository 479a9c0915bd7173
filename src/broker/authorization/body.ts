import type { IncomingMessage, ServerResponse } from 'node:http'

const MAX_BODY_BYTES = 65_536

/**
 * Throws away a body, which no gateway needs to send. One that is larger ends the connection: it would be read for nobody.
 * Call it before the answer is written.
 */
export function discardBody(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  if (coding === undefined && (length === undefined || length === '0')) return
  if (Number(length) > MAX_BODY_BYTES) {
    // Node ends the connection after the answer, without what is still to come.
    response.setHeader('connection', 'close')
    return
  }
  let read = 0
  request.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > MAX_BODY_BYTES) request.socket.destroy()
  })
}
