import Type, { type Static } from 'typebox'
import { fitsScope, type Scope } from '../oauth/scope.ts'
import { isResource } from '../oauth/target.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { isLoopbackAddress, parseListen } from './address.ts'
import type { ReportFault } from './document.ts'
import { scopeValue, target } from './forms.ts'

const closed = { additionalProperties: false }
const MAX_ROUTES = 64

const routeSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9-]{1,63}$',
      form: 'lower case letters, digits and dashes, 63 at most',
      description: 'What the gateway asks for: /v1/authorization/NAME.',
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
  },
  { ...closed, description: 'A token that a gateway may have.' },
)

export const authorizationSchema = Type.Object(
  {
    listen: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        minItems: 1,
        maxItems: 4,
        description:
          'Where the gateway asks: loopback addresses, or one Unix socket such as unix:/run/lumo/authorization.sock. Default: port 9182 of both loopbacks.',
      }),
    ),
    hosts: Type.Array(
      Type.String({
        pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$',
        form: 'the name of a host, without a port',
      }),
      {
        default: [],
        maxItems: 64,
        description:
          'Names that may stand in the `Host` of a request, for a gateway that passes on that of its client, as Envoy does. IP addresses and localhost always may.',
      },
    ),
    routes: Type.Array(routeSchema, {
      minItems: 1,
      maxItems: MAX_ROUTES,
      description: 'The tokens that may be had there.',
    }),
  },
  {
    ...closed,
    description:
      'Adds tokens to requests that leave the pod through a gateway of its own: for ext_authz of Envoy and auth_request of nginx. Absent: off.',
  },
)

export interface AuthorizationConfig {
  readonly listen: readonly ListenAddress[]
  /** In lower case. */
  readonly hosts: readonly string[]
  readonly routes: readonly AuthorizationRoute[]
}

export interface AuthorizationRoute {
  readonly name: string
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  readonly agent: string | undefined
}

/** Of the broker that it belongs to. */
interface Around {
  /** Whether callers prove themselves. */
  readonly fromOthers: boolean
  readonly brokerListen: readonly ListenAddress[]
}

const PATH = 'broker.authorization'

/** The cross rules of `broker.authorization`. */
export function resolveAuthorization(
  section: Static<typeof authorizationSchema> | undefined,
  { fromOthers, brokerListen }: Around,
  fault: ReportFault,
): AuthorizationConfig | undefined {
  if (!section) return undefined
  if (fromOthers) {
    fault(PATH, 'must be absent where callers prove themselves: a gateway shows no proof of a pod')
  }
  if (!section.listen && brokerListen.some((address) => 'socket' in address)) {
    fault(
      `${PATH}.listen`,
      'must be given beside broker.listen on a socket: the default lets in every container of the pod',
    )
  }
  return {
    listen: resolveListen(section.listen ?? ['127.0.0.1:9182', '[::1]:9182'], fault),
    hosts: section.hosts.map((host) => host.toLowerCase()),
    routes: section.routes.map((route, index) => {
      const path = `${PATH}.routes[${String(index)}]`
      const earlier = section.routes.findIndex(({ name }) => name === route.name)
      if (earlier < index) fault(`${path}.name`, `is that of routes[${String(earlier)}] already`)
      return resolveRoute(route, path, fault)
    }),
  }
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
      fault(path, 'must be a loopback address: whoever reaches it could have the tokens of the pod')
    }
    return { ...address, optional: address.host === '::1' }
  })
}

function resolveRoute(
  { name, audience, resources, scopes, agent }: Static<typeof routeSchema>,
  path: string,
  fault: ReportFault,
): AuthorizationRoute {
  if (!resources.every(isResource)) {
    fault(`${path}.resources`, 'must be absolute URIs without a fragment')
  }
  const scope = scopes && [...new Set(scopes)]
  if (scope && !fitsScope(scope)) {
    fault(`${path}.scopes`, 'must fit into 4096 characters, so that they can be asked for at once')
  }
  return {
    name,
    audiences: audience === undefined ? [] : [audience],
    resources,
    scope,
    agent,
  }
}
