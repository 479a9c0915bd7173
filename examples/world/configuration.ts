import { join } from 'node:path'
import type { Place, Places } from './places.ts'

export const TENANT = 'acme-corp'
export const CLIENT = 'notebook'
/** What the documents server is called in tokens. */
export const DOCUMENTS = 'https://docs.example.com'
export const PROVIDER = 'local-cluster'
export const NAMESPACE = 'agents'

/** An agent of the world: where its broker and the metrics of that listen. */
export const brokers = {
  orchestrator: { listen: 'orchestratorBroker', operations: 'orchestratorOperations' },
  specialist: { listen: 'specialistBroker', operations: 'specialistOperations' },
  reader: { listen: 'readerBroker', operations: 'readerOperations' },
} as const satisfies Record<string, { readonly listen: Place; readonly operations: Place }>

export type AgentName = keyof typeof brokers

export const agentNames = Object.keys(brokers) as readonly AgentName[]

export function issuerOf(places: Places): string {
  return `${places.urlOf('authority')}/t/${TENANT}/api/v1`
}

export function callbackOf(places: Places): string {
  return `${places.urlOf('app')}/callback`
}

/** Who may become what: each agent no more than its example needs. */
export function trustPolicy(places: Places): string {
  const proof = (name: AgentName): string =>
    `{ provider: ${PROVIDER}, namespace: ${NAMESPACE}, serviceAccount: ${name} }`
  return `agents:
  - name: orchestrator
    proof: ${proof('orchestrator')}
    grants:
      - { target: specialist, scopes: [read:documents] }
      - { target: '${places.urlOf('mcpServer')}/mcp', scopes: [call:tools] }
    delegation: { scopes: [read:documents], maxDepth: 1 }
  - name: specialist
    proof: ${proof('specialist')}
    grants:
      - { target: '${DOCUMENTS}', scopes: [read:documents] }
    delegation: { scopes: [read:documents], maxDepth: 2 }
  - name: reader
    proof: ${proof('reader')}
    grants:
      - { target: '${DOCUMENTS}', scopes: [read:documents] }
    delegation: { scopes: [read:documents], maxDepth: 1 }
`
}

interface AuthorityFiles {
  readonly folder: string
  readonly clusterIssuer: string
  readonly clientSecretHash: string
}

export function authorityDocument(
  places: Places,
  { folder, clusterIssuer, clientSecretHash }: AuthorityFiles,
): object {
  return {
    roles: ['authority'],
    operations: { listen: places.addressOf('authorityOperations') },
    authority: {
      listen: places.addressOf('authority'),
      origin: places.urlOf('authority'),
      store: { file: join(folder, 'authority.sqlite') },
      keyEncryptionFile: join(folder, 'key-encryption'),
      tenants: [
        {
          slug: TENANT,
          policy: join(folder, 'policy.yaml'),
          providers: [
            {
              name: PROVIDER,
              kind: 'kubernetes',
              issuers: [clusterIssuer],
              keys: { file: join(folder, 'cluster-keys.json') },
            },
          ],
          clients: [
            {
              id: CLIENT,
              name: 'Notebook',
              secretHashes: [clientSecretHash],
              grantTypes: ['authorization_code'],
              redirectUris: [callbackOf(places)],
              grants: [{ scopes: ['openid', 'read:documents'] }],
            },
          ],
        },
      ],
    },
  }
}

/** The configuration of the broker in the pod of an agent. */
export function brokerDocument(
  places: Places,
  folder: string,
  name: AgentName,
  more: object = {},
): object {
  const { listen, operations } = brokers[name]
  return {
    roles: ['broker'],
    operations: { listen: places.addressOf(operations) },
    broker: {
      listen: [places.addressOf(listen)],
      authority: { url: places.urlOf('authority'), tenant: TENANT },
      proof: { file: join(folder, name, 'token') },
      ...more,
    },
  }
}
