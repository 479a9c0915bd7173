import {
  authorizationHandler,
  type AuthorizationDependencies,
} from '../broker/authorization/listener.ts'
import type { AuthorizationConfig } from '../config/authorization.ts'
import { listen, type Listening } from '../platform/listen.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Listens for gateways of the pod.
 * @throws OperatorFault
 */
export async function openAuthorization(
  config: AuthorizationConfig,
  around: Pick<AuthorizationDependencies, 'bearers' | 'pod'>,
  opened: Pick<Opened, 'add'>,
  { clock, log, metrics }: Pick<Surroundings, 'clock' | 'log' | 'metrics'>,
): Promise<Listening> {
  const listening = await listen(
    {
      role: 'authorization listener',
      handler: authorizationHandler(config, { ...around, log, metrics }),
      addresses: config.listen,
      ownPodOnly: true,
    },
    clock,
  )
  opened.add(() => listening.close(0))
  return listening
}
