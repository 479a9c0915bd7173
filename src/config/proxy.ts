import Type, { type Static } from 'typebox'
import { isLoopbackHost } from '../platform/http_client.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { compilePathPattern, pathPatternFault, type Pattern } from '../platform/pattern.ts'
import type { ReportFault } from './document.ts'
import { podListen, resolvePodListen, type AroundListener } from './pod_listener.ts'
import {
  checkRouteNames,
  MAX_ROUTES,
  resolveRouteWish,
  routeName,
  routeWishFields,
  type RouteWish,
} from './route_wish.ts'

const closed = { additionalProperties: false }

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'] as const

const seconds = (byDefault: number, maximum: number, description: string) =>
  Type.Number({ default: byDefault, minimum: 1, maximum, description })

const routeSchema = Type.Object(
  {
    name: routeName('As the route is called in metrics and in the log.'),
    path: Type.Optional(
      Type.String({
        pattern: '^(/|(/[A-Za-z0-9._~-]+)+)$',
        maxLength: 255,
        form: 'a path of letters, digits, dots, dashes, underscores and tildes, without a slash at its end',
        description:
          'What requests of the route begin with. Default: / and its name. Of several the longest counts.',
      }),
    ),
    upstream: Type.String({
      minLength: 1,
      maxLength: 1_024,
      description:
        'Where they go: an absolute URL, whose path is put before what follows the path of the route.',
    }),
    ...routeWishFields,
    methods: Type.Array(Type.Enum([...METHODS]), {
      minItems: 1,
      maxItems: METHODS.length,
      description: 'The methods that pass. GET does not bring HEAD with it.',
    }),
    paths: Type.Array(
      Type.String({
        pattern: "^/[A-Za-z0-9._~!$&'()+,=:@*/-]*$",
        maxLength: 512,
        form: 'a path that begins with / and has no characters that URLs encode',
        description: 'A pattern.',
      }),
      {
        minItems: 1,
        maxItems: 100,
        description:
          'Patterns of what may follow the path of the route: * stands for anything between two of / and :, ** at the very end for anything at all. / is the route itself, with or without a slash at its end.',
      },
    ),
    onBehalfOf: Type.Enum(['self', 'subject'], {
      default: 'self',
      description:
        'Whose token is added. self: the own one of the workload. subject: one for the user whose token, or whose session, each request names.',
    }),
    caFile: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'PEM certificates to trust for the upstream instead of the system; followed.',
      }),
    ),
    timeout: seconds(30, 3_600, 'Seconds until the answer begins.'),
    idleTimeout: seconds(300, 86_400, 'Seconds in which no byte goes either way.'),
    allowPlainHttp: Type.Boolean({
      default: false,
      description:
        'Whether the upstream may be http: on another machine: whoever is in between then reads the token.',
    }),
  },
  { ...closed, description: 'Requests that get a token on their way.' },
)

export const proxySchema = Type.Object(
  {
    listen: podListen(
      'Where programs of the pod send their requests: loopback addresses, or one Unix socket such as unix:/run/lumo/proxy.sock. Default: port 9181 of both loopbacks.',
    ),
    routes: Type.Array(routeSchema, {
      minItems: 1,
      maxItems: MAX_ROUTES,
      description: 'Where requests may go. What no route names is refused.',
    }),
  },
  {
    ...closed,
    description:
      'A proxy that adds tokens to requests, for programs that must not hold one. Absent: off.',
  },
)

export interface ProxyConfig {
  readonly listen: readonly ListenAddress[]
  readonly routes: readonly ProxyRouteConfig[]
}

export interface ProxyRouteConfig extends RouteWish {
  readonly name: string
  /** Without a slash at its end: of the path `/` nothing is left. */
  readonly prefix: string
  readonly upstream: URL
  readonly methods: readonly string[]
  readonly paths: readonly Pattern[]
  /** Whether each request names a user. */
  readonly forSubject: boolean
  readonly caFile: string | undefined
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
}

const PATH = 'broker.proxy'
const listener = {
  path: PATH,
  port: 9181,
  ofOnePod: 'it is for the programs of one pod',
  danger: 'whoever reaches it acts with the tokens of the pod',
}

/** The cross rules of `broker.proxy`. */
export function resolveProxy(
  section: Static<typeof proxySchema> | undefined,
  around: AroundListener,
  fault: ReportFault,
): ProxyConfig | undefined {
  if (!section) return undefined
  const listen = resolvePodListen(section.listen, listener, around, fault)
  checkRouteNames(section.routes, `${PATH}.routes`, fault)
  const routes = section.routes.map((route, index) =>
    resolveRoute(route, `${PATH}.routes[${String(index)}]`, fault),
  )
  routes.forEach(({ prefix }, index) => {
    const path = `${PATH}.routes[${String(index)}]`
    const same = routes.findIndex((other) => other.prefix === prefix)
    if (same < index) fault(`${path}.path`, `is that of routes[${String(same)}] already`)
  })
  return { listen, routes }
}

function resolveRoute(
  route: Static<typeof routeSchema>,
  path: string,
  fault: ReportFault,
): ProxyRouteConfig {
  const { name } = route
  const prefix = route.path ?? `/${name}`
  if (hasDotSegment(prefix)) fault(`${path}.path`, 'must have no segment of dots alone')
  route.paths.forEach((pattern, index) => {
    const wrong = pathFault(pattern)
    if (wrong !== undefined) fault(`${path}.paths[${String(index)}]`, wrong)
  })
  return {
    name,
    prefix: prefix === '/' ? '' : prefix,
    upstream: resolveUpstream(route, path, fault),
    ...resolveRouteWish(route, path, fault),
    methods: [...new Set(route.methods)],
    paths: route.paths.map(compilePathPattern),
    forSubject: route.onBehalfOf === 'subject',
    caFile: route.caFile,
    timeoutMs: route.timeout * 1_000,
    idleTimeoutMs: route.idleTimeout * 1_000,
  }
}

/** No path that is served has such segments, and none that is empty: a pattern that needs one would match nothing. */
function pathFault(pattern: string): string | undefined {
  if (hasDotSegment(pattern)) return 'must have no segment of dots alone: no path with one passes'
  if (pattern.includes('//')) return 'must have no empty segment: no path with one passes'
  const wrong = pathPatternFault(pattern)
  return wrong === undefined ? undefined : `is no pattern: ${wrong}`
}

function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => segment === '.' || segment === '..')
}

const NOWHERE = new URL('https://upstream.invalid')

function resolveUpstream(
  { upstream: text, allowPlainHttp, caFile }: Static<typeof routeSchema>,
  path: string,
  fault: ReportFault,
): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['https:', 'http:'].includes(url.protocol)) {
    fault(`${path}.upstream`, 'must be an absolute URL, such as https://api.example.com/v1')
    return NOWHERE
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    fault(`${path}.upstream`, 'must be a URL without credentials, query and fragment')
  }
  // A URL parser takes dot segments and empty ones as it pleases: what is written has to be what is asked for.
  const written = text.replace(/^[^/]*\/\/[^/?#]*/, '').replace(/[?#].*$/, '')
  const isPlain = /^(\/[A-Za-z0-9._~!$&'()+,=:@-]+)*\/?$/.test(url.pathname)
  if (!isPlain || (written === '' ? '/' : written) !== url.pathname) {
    fault(
      `${path}.upstream`,
      'must have a path without empty segments, segments of dots and encoded characters',
    )
  }
  const stays = isLoopbackHost(url.hostname)
  if (url.protocol === 'http:' && !stays && !allowPlainHttp) {
    fault(
      `${path}.upstream`,
      'must be https: over plain HTTP the token could be read on the way; where nobody can, set allowPlainHttp',
    )
  }
  if (url.protocol === 'http:' && caFile !== undefined) {
    fault(`${path}.caFile`, 'must be absent beside an upstream of plain HTTP')
  }
  return url
}
