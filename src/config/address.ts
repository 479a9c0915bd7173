import { isIP } from 'node:net'
import { isLoopbackHost } from '../platform/http_client.ts'
import type { ListenAddress } from '../platform/listen.ts'

/** Parses `127.0.0.1:9180` or `[::1]:9180`: an IP address, never a name, for what a name resolves to is decided elsewhere. */
export function parseAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || isIP(host) === 0 || port > 65_535) return undefined
  return { host, port }
}

export function isLoopbackAddress({ host }: ListenAddress): boolean {
  return isLoopbackHost(host)
}
