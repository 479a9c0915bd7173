import type { IncomingMessage } from 'node:http'

/** The body of an answer as text. Rejects with `answer_too_large` once it is longer, or `broken_off`. */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBytes) {
        reject('answer_too_large')
        incoming.destroy()
      } else chunks.push(chunk)
    })
    incoming.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'))
    })
    incoming.on('error', () => {
      reject('broken_off')
    })
    incoming.on('aborted', () => {
      reject('broken_off')
    })
  })
}
