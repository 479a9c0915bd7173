import Type, { type Static } from 'typebox'
import { fitsScope, type Scope } from '../oauth/scope.ts'
import { isResource } from '../oauth/target.ts'
import type { ReportFault } from './document.ts'
import { scopeValue, target } from './forms.ts'

/** Which token a route adds, as its requests cannot say. */
export interface RouteWish {
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  readonly agent: string | undefined
}

export const MAX_ROUTES = 64

/** The name of a route, with what it is used for. */
export const routeName = (description: string) =>
  Type.String({
    pattern: '^[a-z0-9-]{1,63}$',
    form: 'lower case letters, digits and dashes, 63 at most',
    description,
  })

export const routeWishFields = {
  audience: Type.Optional(
    Type.String({
      ...target,
      description: 'As audience of /v1/token. This or resources must be given.',
    }),
  ),
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
}

const fields = Type.Object(routeWishFields)

export function resolveRouteWish(
  { audience, resources, scopes, agent }: Static<typeof fields>,
  path: string,
  fault: ReportFault,
): RouteWish {
  if (audience === undefined && resources.length === 0) {
    fault(
      path,
      "audience or resources must be given: without a target the token is the workload's own, by which the upstream could act as it",
    )
  }
  if (!resources.every(isResource)) {
    fault(`${path}.resources`, 'must be absolute URIs without a fragment')
  }
  const scope = scopes && [...new Set(scopes)]
  if (scope && !fitsScope(scope)) {
    fault(`${path}.scopes`, 'must fit into 4096 characters, so that they can be asked for at once')
  }
  return { audiences: audience === undefined ? [] : [audience], resources, scope, agent }
}

/** No two routes can have one name: metrics and gateways tell them apart by it. */
export function checkRouteNames(
  routes: readonly { readonly name: string }[],
  path: string,
  fault: ReportFault,
): void {
  routes.forEach(({ name }, index) => {
    const earlier = routes.findIndex((other) => other.name === name)
    if (earlier < index) {
      fault(`${path}[${String(index)}].name`, `is that of routes[${String(earlier)}] already`)
    }
  })
}
