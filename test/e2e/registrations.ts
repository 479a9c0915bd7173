import { AUDIENCE } from './documents_api.ts'

const SCOPES = ['read:documents']

/** Two agents that act for users, the first of them by way of the second, and one that reads by the proxy. Their accounts bear their names. */
export function actingAgents(namespace: string) {
  const named = (name: string) => ({
    name,
    proof: { provider: 'this-cluster', namespace, serviceAccount: name },
  })
  const documents = { target: AUDIENCE, scopes: SCOPES }
  return [
    {
      ...named('orchestrator'),
      grants: [{ target: 'specialist', scopes: SCOPES }, documents],
      delegation: { scopes: SCOPES, maxDepth: 1 },
    },
    {
      ...named('specialist'),
      grants: [documents],
      delegation: { scopes: SCOPES, maxDepth: 2 },
    },
    { ...named('reader'), grants: [documents] },
  ]
}

/** What people sign in to: a program on their own machine, which keeps no secret. */
export const notebook = {
  id: 'notebook',
  methods: ['none'],
  grantTypes: ['authorization_code'],
  redirectUris: ['http://127.0.0.1/callback'],
  grants: [{ scopes: ['openid', 'read:documents', 'write:documents'] }],
}
