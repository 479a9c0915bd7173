import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthorizationConfig } from '../../config/authorization.ts'
import type { RequestHandler } from '../../platform/listen.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Bearer, Bearers } from '../bearers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { wishFor, type Wish } from '../wish.ts'
import { AuthorizationAnswers, type CountedRoute } from './answers.ts'
import { discardBody } from './body.ts'
import { failedAuthorizationGuard } from './guard.ts'
import { routeNameOf } from './route.ts'

export interface AuthorizationDependencies {
  readonly bearers: Pick<Bearers, 'of'>
  /** Whose tokens these are: whoever reaches the loopback of a pod, or its socket, is the pod. */
  readonly pod: Workload
  readonly log: Log
  readonly metrics: Metrics
}

type Result = Bearer | BrokerError

/**
 * What a gateway beside the broker asks before it lets a request out of the pod: `/v1/authorization/{route}`, by any method
 * and with any suffix. Which token that is stands in the configuration alone. Node's own handler, for the frameworks know
 * nine methods.
 */
export function authorizationHandler(
  config: Pick<AuthorizationConfig, 'hosts' | 'routes'>,
  { bearers, pod, log, metrics }: AuthorizationDependencies,
): RequestHandler {
  const answers = new AuthorizationAnswers(metrics)
  const hosts: ReadonlySet<string> = new Set(config.hosts)
  const wishes: ReadonlyMap<string, Wish> = new Map(
    config.routes.map((route) => [route.name, wishFor(route)]),
  )
  const answer = (response: ServerResponse, route: CountedRoute, result: Result): void => {
    if (result instanceof BrokerError) answers.refuse(response, route, result)
    else answers.grant(response, route, result.token)
  }
  const tokenFor = (request: IncomingMessage, wish: Wish | undefined): Result | Promise<Result> => {
    const guard = failedAuthorizationGuard(request, hosts)
    if (guard) return guard
    if (!pod.rate.take()) return new BrokerError('rate_limited', { retryAfterSeconds: 1 })
    if (!wish) return new BrokerError('authorization_unknown')
    return bearers.of(pod, wish, undefined)
  }
  return (request, response) => {
    const name = routeNameOf(request.url ?? '')
    const wish = name === undefined ? undefined : wishes.get(name)
    const route = wish && name !== undefined ? name : 'none'
    const fail = (error: unknown): void => {
      log.error('a request of a gateway failed', causeOf(error))
      answers.refuse(response, route, new BrokerError('unexpected'))
    }
    try {
      discardBody(request, response)
      const result = tokenFor(request, wish)
      // Without a promise: this is the hot path.
      if (!(result instanceof Promise)) answer(response, route, result)
      else {
        result
          .then((found) => {
            answer(response, route, found)
          })
          .catch(fail)
      }
    } catch (error) {
      fail(error)
    }
  }
}
