import { timingSafeEqual } from 'node:crypto'
import { OAuthError } from '../../oauth/errors.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { ApiKeyRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import type { Clients } from '../client/registry.ts'
import { hashOfApiKey, mayHaveApiKeys, parseApiKey } from './api_key.ts'
import type { Asker } from './asked.ts'

interface ApiKeysDependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'apiKey' | 'client'>
  readonly clients: Pick<Clients, 'find'>
  readonly clock: Clock
}

/**
 * Reads the API keys of a tenant. Each is looked up in the store at each request, so that one that was removed is gone at once,
 * in every process.
 */
export class ApiKeys {
  readonly #dependencies: ApiKeysDependencies

  constructor(dependencies: ApiKeysDependencies) {
    this.#dependencies = dependencies
  }

  /** Who asks by a key: its client, as by a token of its own. One refusal for whatever is wrong with it. */
  async read(text: string): Promise<Asker | OAuthError> {
    const { tenant, store, clock } = this.#dependencies
    const parts = parseApiKey(text)
    if (!parts) return refused('api_key_malformed')
    if (parts.tenant !== tenant) return refused('api_key_foreign')
    const key = await store.apiKey(tenant, parts.id)
    if (!key || !timingSafeEqual(key.hash, hashOfApiKey(text))) return refused('api_key_unknown')
    // Only now its id is more than what somebody sent, and can be told to the operator.
    const detail = `API key ${key.id}`
    if (key.expiresAt !== undefined && key.expiresAt <= unixSeconds(clock)) {
      return refused('api_key_expired', detail)
    }
    if (!(await this.#isOfClient(key))) return refused('api_key_orphaned', detail)
    const { clientId } = key
    return { sub: clientId, clientId, audiences: [clientId], act: undefined }
  }

  async #isOfClient({ tenant, clientId, createdAt }: ApiKeyRecord): Promise<boolean> {
    const client = await this.#dependencies.clients.find(clientId)
    if (!client || !mayHaveApiKeys(client)) return false
    // Somebody else may have been added under the id of a client that was removed, and must not inherit its keys' holders.
    const added = await this.#dependencies.store.client(tenant, clientId)
    return added === undefined || added.createdAt <= createdAt
  }
}

function refused(reason: string, detail?: string): OAuthError {
  return new OAuthError('api_key_invalid', {
    reason,
    ...(detail !== undefined && { detail }),
  })
}
