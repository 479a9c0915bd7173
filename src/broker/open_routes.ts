import type { FastifyInstance } from 'fastify'
import type { Answers } from './answers.ts'
import { BrokerError } from './errors.ts'
import { discoveryPaths, discoveryRoute } from './routes/discovery.ts'
import { dropInRoute, type DropInRouteDependencies, type OpenHandler } from './routes/drop_in.ts'
import { forwardedPaths, forwardRoute, type ForwardRouteDependencies } from './routes/forward.ts'

export type OpenRoutesDependencies = DropInRouteDependencies & ForwardRouteDependencies

const tokenPaths = ['/t/:tenant/api/v1/oauth/token', '/orgs/:tenant/api/v1/oauth/token'] as const
/** Whatever else clients ask for here that take this for the authority. */
const otherPaths = ['/.well-known/*', '/t/*', '/orgs/*', '/api/*'] as const

/**
 * The routes of clients that know no broker, and cannot send our header. `guarded` is what each of them passes first; gives
 * back their paths, so that a body which fails before that is judged alike.
 */
export function openRoutes(
  app: FastifyInstance,
  guarded: (handler: OpenHandler) => OpenHandler,
  dependencies: OpenRoutesDependencies,
): ReadonlySet<string> {
  const { answers } = dependencies
  const dropIn = dropInRoute(dependencies)
  const forward = forwardRoute(dependencies)
  const served = [
    ...tokenPaths.map((path) => ({ path, methods: ['POST'] as const, handler: dropIn })),
    ...forwardedPaths.map((route) => ({ ...route, handler: forward })),
  ]
  for (const { path, methods, handler } of served) {
    app.route({ method: [...methods], url: path, handler: guarded(handler) })
    const others = app.supportedMethods.filter((method) => !methods.some((one) => one === method))
    app.route({ method: others, url: path, handler: guarded(notAllowed(methods, answers)) })
  }
  const discovery = discoveryRoute(dependencies)
  for (const path of discoveryPaths) app.get(path, guarded(discovery))
  const unknown: OpenHandler = (_request, reply) =>
    answers.refuse(reply, 'none', new BrokerError('route_unknown'))
  for (const url of otherPaths) {
    const method = app.supportedMethods.filter((one) => one !== 'GET' || url !== '/.well-known/*')
    app.route({ method, url, handler: guarded(unknown) })
  }
  return new Set([...served.map(({ path }) => path), ...discoveryPaths, ...otherPaths])
}

/** Whether a target lies below one of these paths, as it is written: for one that cannot be read, and so has no route. */
export function isBelowOpenPath(target: string): boolean {
  const path = target.replace(/^http:\/\/[^/?#]*/i, '')
  return otherPaths.some((pattern) => path.startsWith(pattern.slice(0, -1)))
}

function notAllowed(methods: readonly string[], answers: Answers): OpenHandler {
  const allow = methods.join(', ')
  return (_request, reply) =>
    answers.refuse(reply.header('allow', allow), 'none', new BrokerError('method_not_allowed'))
}
