import { createHash } from 'node:crypto'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import type { PushedRequest } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'

/** RFC 9126 section 2.2. */
const PREFIX = 'urn:ietf:params:oauth:request_uri:'
/** Time enough to sign in and read: the request is needed until its code is issued. LumoAuth documents as much. */
const LIFETIME_SECONDS = 600

export type FoundPushed = PushedRequest

interface PushedRequestsDependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'keepPushed' | 'pushed' | 'endPushed'>
  readonly clock: Clock
  readonly random: Random
}

/** Authorization requests that clients pushed. Their address is 256 random bits, of which the store has the hash. */
export class PushedRequests {
  readonly #dependencies: PushedRequestsDependencies

  constructor(dependencies: PushedRequestsDependencies) {
    this.#dependencies = dependencies
  }

  /** `query`: form-encoded, without what authenticated the client. */
  async keep(clientId: string, query: string): Promise<object> {
    const { tenant, store, clock, random } = this.#dependencies
    const secret = random.bytes(32).toString('base64url')
    const createdAt = unixSeconds(clock)
    const expiresAt = createdAt + LIFETIME_SECONDS
    await store.keepPushed({ tenant, hash: hashOf(secret), clientId, query, createdAt, expiresAt })
    return { request_uri: PREFIX + secret, expires_in: LIFETIME_SECONDS }
  }

  async find(requestUri: string): Promise<FoundPushed | undefined> {
    const { tenant, store, clock } = this.#dependencies
    const found = await store.pushed(tenant, hashOf(requestUri.slice(PREFIX.length)))
    return found && found.expiresAt > unixSeconds(clock) ? found : undefined
  }

  /** True for the one that it ends for. */
  end({ hash }: FoundPushed): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    return store.endPushed(tenant, hash)
  }
}

/** Whether a `request_uri` is one that only this server gives; any other would be fetched (RFC 9101 section 5.2), which nothing here does. */
export function isPushedUri(requestUri: string): boolean {
  return requestUri.startsWith(PREFIX)
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
