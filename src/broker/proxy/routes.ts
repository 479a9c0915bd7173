import type { ProxyRouteConfig } from '../../config/proxy.ts'
import { matchesPattern, type Pattern } from '../../platform/pattern.ts'
import { wishFor, type Wish } from '../wish.ts'
import type { Target } from './target.ts'
import type { Upstream } from './upstream.ts'

/** A route, ready for requests. */
export interface ProxyRoute {
  readonly name: string
  /** Without a slash at its end. */
  readonly prefix: string
  readonly methods: ReadonlySet<string>
  /** Value of `Allow`. */
  readonly allow: string
  readonly paths: readonly Pattern[]
  readonly wish: Wish
  readonly forSubject: boolean
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
  readonly upstream: Upstream
  /** The upstream's own path, as it is written, and the same without a slash at its end. */
  readonly root: string
  readonly base: string
}

export function proxyRoute(config: ProxyRouteConfig, upstream: Upstream): ProxyRoute {
  const { pathname } = config.upstream
  return {
    name: config.name,
    prefix: config.prefix,
    methods: new Set(config.methods),
    allow: config.methods.join(', '),
    paths: config.paths,
    wish: wishFor(config),
    forSubject: config.forSubject,
    timeoutMs: config.timeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    upstream,
    root: pathname,
    base: pathname.replace(/\/$/, ''),
  }
}

/** The routes of a proxy, of which the longest prefix counts. */
export class ProxyRoutes {
  readonly #longestFirst: readonly ProxyRoute[]

  constructor(routes: readonly ProxyRoute[]) {
    this.#longestFirst = routes.toSorted((one, two) => two.prefix.length - one.prefix.length)
  }

  find({ path }: Target): ProxyRoute | undefined {
    for (const route of this.#longestFirst) {
      const { prefix } = route
      if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'))
        return route
    }
    return undefined
  }
}

/** What the upstream is asked for; undefined: no pattern of the route allows it. */
export function pathAt(route: ProxyRoute, { path, query }: Target): string | undefined {
  const rest = path.slice(route.prefix.length)
  const judged = rest === '' ? '/' : rest
  if (!readingsOf(judged).every((reading) => isAllowed(route, reading))) return undefined
  return (rest === '' ? route.root : route.base + rest) + query
}

function isAllowed({ paths }: ProxyRoute, path: string): boolean {
  for (const pattern of paths) if (matchesPattern(pattern, path)) return true
  return false
}

/**
 * Ways in which upstreams read a path: some cut off the parameters of each segment (`report;.txt`), and to some an encoded
 * colon is one. All of them have to be allowed.
 */
function readingsOf(path: string): readonly string[] {
  if (!path.includes(';') && !path.includes('%3')) return [path]
  const withoutParameters = path.replace(/(;|%3B)[^/]*/g, '')
  return [path, withoutParameters].flatMap((one) => [one, one.replaceAll('%3A', ':')])
}
