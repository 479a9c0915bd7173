import { BlockList, isIP } from 'node:net'
import { isLoopbackHost } from '../platform/http_client.ts'
import type { ListenAddress, TcpAddress } from '../platform/listen.ts'

/** Parses `127.0.0.1:9180` or `[::1]:9180`: an IP address, never a name, for what a name resolves to is decided elsewhere. */
export function parseAddress(text: string): TcpAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || isIP(host) === 0 || port > 65_535) return undefined
  return { host, port }
}

export function isLoopbackAddress({ host }: TcpAddress): boolean {
  return isLoopbackHost(host)
}

/** The longest path of a Unix socket on Linux, with its final zero. */
const MAX_SOCKET_PATH = 107

/** Parses an address, or a Unix socket such as `unix:/run/lumo/broker.sock`. */
export function parseListen(text: string): ListenAddress | undefined {
  if (!text.startsWith('unix:')) return parseAddress(text)
  const socket = text.slice('unix:'.length)
  const isPath = socket.startsWith('/') && !socket.endsWith('/') && !socket.includes('\0')
  return isPath && Buffer.byteLength(socket) <= MAX_SOCKET_PATH ? { socket } : undefined
}

/** Whether two texts are one IP address, however it is written. */
export function sameAddress(one: string, other: string): boolean {
  if (isIP(one) === 0 || isIP(one) !== isIP(other)) return false
  const family = isIP(one) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addAddress(one, family)
  return list.check(other, family)
}
