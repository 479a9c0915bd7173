import Type, { type Static } from 'typebox'
import { fitsScope, type Scope } from '../oauth/scope.ts'
import { isResource } from '../oauth/target.ts'
import { isLoopbackHost } from '../platform/http_client.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { compilePathPattern, pathPatternFault, type Pattern } from '../platform/pattern.ts'
import { isLoopbackAddress, parseListen } from './address.ts'
import type { ReportFault } from './document.ts'
import { scopeValue, target } from './forms.ts'

const closed = { additionalProperties: false }
const MAX_ROUTES = 64

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'] as const

const seconds = (byDefault: number, maximum: number, description: string) =>
  Type.Number({ default: byDefault, minimum: 1, maximum, description })

const routeSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9-]{1,63}$',
      form: 'lower case letters, digits and dashes, 63 at most',
      description: 'As the route is called in metrics and in the log.',
    }),
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
    audience: Type.Optional(Type.String({ ...target, description: 'As audience of /v1/token.' })),
    resources: Type.Array(Type.String(target), {
      default: [],
      maxItems: 5,
      description: 'As resource of /v1/token.',
    }),
    scopes: Type.Optional(
      Type.Array(Type.String(scopeValue), {
        minItems: 1,
        maxItems: 100,
        description: 'As scope of /v1/token.',
      }),
    ),
    agent: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'As agent of /v1/token.' }),
    ),
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
    listen: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        minItems: 1,
        maxItems: 4,
        description:
          'Where programs of the pod send their requests: loopback addresses, or one Unix socket such as unix:/run/lumo/proxy.sock. Default: port 9181 of both loopbacks.',
      }),
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

export interface ProxyRouteConfig {
  readonly name: string
  /** Without a slash at its end: of the path `/` nothing is left. */
  readonly prefix: string
  readonly upstream: URL
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  readonly agent: string | undefined
  readonly methods: readonly string[]
  readonly paths: readonly Pattern[]
  /** Whether each request names a user. */
  readonly forSubject: boolean
  readonly caFile: string | undefined
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
}

/** Of the broker that it belongs to. */
interface Around {
  /** Whether callers prove themselves. */
  readonly fromOthers: boolean
  readonly brokerListen: readonly ListenAddress[]
}

const PATH = 'broker.proxy'

/** The cross rules of `broker.proxy`. */
export function resolveProxy(
  section: Static<typeof proxySchema> | undefined,
  { fromOthers, brokerListen }: Around,
  fault: ReportFault,
): ProxyConfig | undefined {
  if (!section) return undefined
  if (fromOthers) {
    fault(PATH, 'must be absent where callers prove themselves: it is for the programs of one pod')
  }
  if (!section.listen && brokerListen.some((address) => 'socket' in address)) {
    fault(
      `${PATH}.listen`,
      'must be given beside broker.listen on a socket: the default lets in every container of the pod',
    )
  }
  const listen = resolveListen(section.listen ?? ['127.0.0.1:9181', '[::1]:9181'], fault)
  const routes = section.routes.map((route, index) =>
    resolveRoute(route, `${PATH}.routes[${String(index)}]`, fault),
  )
  routes.forEach(({ name, prefix }, index) => {
    const path = `${PATH}.routes[${String(index)}]`
    const namesake = routes.findIndex((other) => other.name === name)
    if (namesake < index) fault(`${path}.name`, `is that of routes[${String(namesake)}] already`)
    const same = routes.findIndex((other) => other.prefix === prefix)
    if (same < index) fault(`${path}.path`, `is that of routes[${String(same)}] already`)
  })
  return { listen, routes }
}

function resolveListen(texts: readonly string[], fault: ReportFault): readonly ListenAddress[] {
  return texts.map((text, index): ListenAddress => {
    const path = `${PATH}.listen[${String(index)}]`
    const address = parseListen(text)
    if (!address) {
      fault(path, 'must be a loopback address and a port, or unix: and an absolute path')
      return { host: '127.0.0.1', port: 0 }
    }
    if ('socket' in address) {
      if (texts.length > 1) fault(path, 'a socket must stand alone: TCP would let everybody in')
      return address
    }
    if (!isLoopbackAddress(address)) {
      fault(path, 'must be a loopback address: whoever reaches it acts with the tokens of the pod')
    }
    return { ...address, optional: address.host === '::1' }
  })
}

function resolveRoute(
  route: Static<typeof routeSchema>,
  path: string,
  fault: ReportFault,
): ProxyRouteConfig {
  const { name, audience, resources, scopes, agent } = route
  if (!resources.every(isResource)) {
    fault(`${path}.resources`, 'must be absolute URIs without a fragment')
  }
  const scope = scopes && [...new Set(scopes)]
  if (scope && !fitsScope(scope)) {
    fault(`${path}.scopes`, 'must fit into 4096 characters, so that they can be asked for at once')
  }
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
    audiences: audience === undefined ? [] : [audience],
    resources,
    scope,
    agent,
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
