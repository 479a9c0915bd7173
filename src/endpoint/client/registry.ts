import { LRUCache } from 'lru-cache'
import { clientOf, registrationSchema, type ClientConfig } from '../../config/client.ts'
import { parseValue } from '../../config/document.ts'
import type { Policy } from '../../policy/policy.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { partyOfAgent, type Party } from '../tenant.ts'
import { registeredClient, type RegisteredClient } from './registered.ts'

interface ClientsDependencies {
  readonly tenant: string
  readonly configured: readonly ClientConfig[]
  /** Those of the client files, as they are now. */
  readonly ofFiles: () => readonly ClientConfig[]
  readonly store: Pick<Store, 'client'>
  readonly policy: () => Policy
  /** Subs of the tenant's users. */
  readonly users: ReadonlySet<string>
}

interface Compiled {
  readonly registration: string
  readonly client: RegisteredClient
}

const MAX_COMPILED = 1_000

/**
 * The clients of a tenant: those of the configuration, those of its client files, and those that were registered while it
 * runs. The last are read from the store at each request, so that one that was removed is gone at once, in every process.
 */
export class Clients {
  readonly #dependencies: ClientsDependencies
  readonly #configured: ReadonlyMap<string, RegisteredClient>
  #ofFiles: {
    readonly source: readonly ClientConfig[]
    readonly byId: ReadonlyMap<string, RegisteredClient>
  }
  readonly #compiled = new LRUCache<string, Compiled>({ max: MAX_COMPILED })

  constructor(dependencies: ClientsDependencies) {
    this.#dependencies = dependencies
    this.#configured = byId(dependencies.configured)
    const source = dependencies.ofFiles()
    this.#ofFiles = { source, byId: byId(source) }
  }

  async find(id: string): Promise<RegisteredClient | undefined> {
    const configured = this.#configured.get(id)
    if (configured) return configured
    if (this.isTaken(id)) return undefined
    const ofFile = this.#currentFiles().get(id)
    if (ofFile) return ofFile
    const record = await this.#dependencies.store.client(this.#dependencies.tenant, id)
    return record && this.#compile(record)
  }

  /** Whom tokens with this `client_id` are issued to. */
  async party(id: string): Promise<Party | undefined> {
    const agent = this.#dependencies.policy().ofClient(id)
    return agent ? partyOfAgent(agent) : this.find(id)
  }

  /**
   * True for what is the name of somebody else: ids of clients, subs of agents and subs of users never mean two things
   * within a tenant, or one could speak as the other. A client whose id was taken after it was registered is out of use.
   */
  isTaken(id: string): boolean {
    const { policy, users } = this.#dependencies
    return users.has(id) || policy().names(id)
  }

  #currentFiles(): ReadonlyMap<string, RegisteredClient> {
    const source = this.#dependencies.ofFiles()
    if (source !== this.#ofFiles.source) this.#ofFiles = { source, byId: byId(source) }
    return this.#ofFiles.byId
  }

  #compile({ id, registration, secretHashes }: ClientRecord): RegisteredClient {
    const known = this.#compiled.get(id)
    const compiled = known?.registration === registration ? known : this.#remember(id, registration)
    return { ...compiled.client, secretHashes }
  }

  #remember(id: string, registration: string): Compiled {
    const entry = parseValue(JSON.parse(registration), registrationSchema)
    const compiled = {
      registration,
      client: registeredClient(clientOf({ id, secretHashes: [], ...entry })),
    }
    this.#compiled.set(id, compiled)
    return compiled
  }
}

function byId(clients: readonly ClientConfig[]): ReadonlyMap<string, RegisteredClient> {
  return new Map(clients.map((config) => [config.id, registeredClient(config)]))
}
