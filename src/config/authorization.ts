import Type, { type Static } from 'typebox'
import type { ListenAddress } from '../platform/listen.ts'
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

const routeSchema = Type.Object(
  {
    name: routeName('What the gateway asks for: /v1/authorization/NAME.'),
    ...routeWishFields,
  },
  { ...closed, description: 'A token that a gateway may have.' },
)

export const authorizationSchema = Type.Object(
  {
    listen: podListen(
      'Where the gateway asks: loopback addresses, or one Unix socket such as unix:/run/lumo/authorization.sock. Default: port 9182 of both loopbacks.',
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

export interface AuthorizationRoute extends RouteWish {
  readonly name: string
}

const PATH = 'broker.authorization'
const listener = {
  path: PATH,
  port: 9182,
  ofOnePod: 'a gateway shows no proof of a pod',
  danger: 'whoever reaches it could have the tokens of the pod',
}

/** The cross rules of `broker.authorization`. */
export function resolveAuthorization(
  section: Static<typeof authorizationSchema> | undefined,
  around: AroundListener,
  fault: ReportFault,
): AuthorizationConfig | undefined {
  if (!section) return undefined
  checkRouteNames(section.routes, `${PATH}.routes`, fault)
  return {
    listen: resolvePodListen(section.listen, listener, around, fault),
    hosts: section.hosts.map((host) => host.toLowerCase()),
    routes: section.routes.map((route, index) => ({
      name: route.name,
      ...resolveRouteWish(route, `${PATH}.routes[${String(index)}]`, fault),
    })),
  }
}
