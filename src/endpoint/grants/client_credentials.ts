import { OAuthError } from '../../oauth/errors.ts'
import type { Grant } from './grant.ts'

/** The client as itself (RFC 6749 section 4.4). */
export const clientCredentials: Grant = {
  name: 'client_credentials',
  parameters: [],
  clientAuthentication: 'required',
  authorize(_request, { client }) {
    if (!client) return Promise.resolve(new OAuthError('client_unproven'))
    return Promise.resolve({
      party: client,
      sub: client.sub,
      ceiling: client.ceiling,
      targets: [],
      lifetimeSeconds: client.lifetimeSeconds,
    })
  },
}
