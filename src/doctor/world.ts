import { lookup } from 'node:dns/promises'
import { stat } from 'node:fs/promises'
import { systemClock, type Clock } from '../platform/clock.ts'
import { systemFiles, type Files } from '../platform/files.ts'
import { nodeHttpClient, type HttpClient } from '../platform/http_client.ts'
import { isProxied, proxyEnvironment } from '../platform/proxy.ts'

/** What a look at the links takes of the world. */
export interface World {
  readonly clock: Clock
  readonly files: Files
  /** Goes through the proxy of the environment where `isProxied` says so. */
  readonly http: HttpClient
  readonly isProxied: (url: URL) => boolean
  /** The addresses of a name. Rejects with an error that has the resolver's `code`. */
  readonly resolve: (name: string) => Promise<readonly string[]>
  /** Whose a file is, and who looks. Undefined where that cannot be told. */
  readonly ownerOf: (path: string) => Promise<FileOwner | undefined>
}

export interface FileOwner {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** User id of this process. */
  readonly ours: number
}

/**
 * The real one.
 * @throws OperatorFault when a proxy is no URL
 */
export function systemWorld(environment: Readonly<Record<string, string | undefined>>): World {
  const proxies = proxyEnvironment(environment)
  return {
    clock: systemClock,
    files: systemFiles,
    http: nodeHttpClient(systemClock, proxies),
    isProxied: (url) => isProxied(url, proxies),
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    ownerOf: async (path) => {
      try {
        // Its own entry there belongs to the user that the process runs as.
        const [file, self] = await Promise.all([stat(path), stat('/proc/self')])
        return { mode: file.mode & 0o777, uid: file.uid, gid: file.gid, ours: self.uid }
      } catch {
        return undefined
      }
    },
  }
}
