import type { ApiOperation } from '../../platform/api.ts'
import { discoveryPaths } from '../routes/discovery.ts'
import type { Refusals } from './errors.ts'
import { nameOf, pathParameters, templateOf } from './paths.ts'

/**
 * Where clients look for discovery. What they would learn here is the public name of an issuer, and they would go there past
 * the broker, so each is told that it is not here.
 */
export function discoveryOperations(refusalsAt: Refusals): readonly ApiOperation[] {
  const answers = refusalsAt('discovery')
  return discoveryPaths.map((route) => {
    const path = templateOf(route)
    return {
      id: `missing${nameOf(route)}`,
      method: 'get',
      path,
      summary: 'No discovery here',
      description: 'Clients are configured with the URL of the token endpoint, not with an issuer.',
      security: [],
      parameters: pathParameters(path),
      answers,
    }
  })
}
