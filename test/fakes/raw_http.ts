import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Lower-case names in the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  header(name: string): string | undefined
  readonly body: string
}

/** Sends exactly these bytes and reads one answer to the end of the connection: nothing normalizes what is sent. */
export function sendRaw(port: number, request: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(request)
    })
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      resolve(parseAnswer(Buffer.concat(chunks).toString('utf8')))
    })
  })
}

/** One request with these header lines and `Connection: close`. */
export function requestText(
  requestLine: string,
  headers: readonly string[],
  body?: string,
): string {
  const length = body === undefined ? [] : [`Content-Length: ${String(Buffer.byteLength(body))}`]
  return [requestLine, ...headers, ...length, 'Connection: close', '', body ?? ''].join('\r\n')
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    header: (name) => headers.find(([other]) => other === name)?.[1],
    body: text.slice(end + 4),
  }
}
