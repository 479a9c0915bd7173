import type { Duplex } from 'node:stream'
import type { HeaderList } from './headers.ts'

interface Ends {
  /** The caller's connection, and what it has sent already. */
  readonly socket: Duplex
  readonly head: Buffer
  readonly upstream: Duplex
  /** Of the upstream's answer. */
  readonly fields: HeaderList
  readonly onBytes: () => void
}

/** Answers 101 (RFC 6455 section 4.2.2) and joins the two connections. When one ends, so does the other. */
export function tunnel({ socket, head, upstream, fields, onBytes }: Ends): { destroy(): void } {
  const destroy = (): void => {
    socket.destroy()
    upstream.destroy()
  }
  let answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let at = 0; at < fields.length; at += 2) {
    answer += `${fields[at] ?? ''}: ${fields[at + 1] ?? ''}\r\n`
  }
  socket.write(`${answer}\r\n`, 'latin1')
  if (head.length > 0) upstream.write(head)
  for (const end of [socket, upstream]) {
    end.on('error', destroy)
    end.on('close', destroy)
  }
  upstream.pipe(socket)
  socket.pipe(upstream)
  for (const end of [socket, upstream]) end.on('data', onBytes)
  return { destroy }
}
