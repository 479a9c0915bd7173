import { createHash } from 'node:crypto'
import type { Scope } from '../oauth/scope.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Store } from '../store/store.ts'
import { MAX_TOKEN_SECONDS } from './revocations.ts'

/** What a user granted a client, and all that the code for it is bound to. */
export interface CodeGrant {
  readonly sub: string
  readonly scope: Scope
  /** Resources of the authorization request (RFC 8707). */
  readonly targets: readonly string[]
  readonly redirectUri: string
  /** S256 of the verifier (RFC 7636); undefined only for confidential clients. */
  readonly codeChallenge?: string | undefined
  readonly nonce?: string | undefined
  /** Key that has to be shown with it (RFC 9449 section 10). */
  readonly dpopJkt?: string | undefined
  /** Unix seconds. */
  readonly authTime: number
}

/** An authorization code as it is found. */
export interface FoundCode extends CodeGrant {
  readonly hash: Buffer
  readonly grantId: string
  readonly clientId: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly consumed: boolean
}

interface CodesDependencies {
  readonly tenant: string
  readonly lifetimeSeconds: number
  readonly store: Pick<Store, 'keepCode' | 'code' | 'consumeCode' | 'grantIds'>
  readonly clock: Clock
  readonly random: Random
}

type StoredCode = CodeGrant & { readonly issuedAt: number; readonly expiresAt: number }

const CODE_BYTES = 32

/** Authorization codes (RFC 6749 section 4.1.2): 256 random bits, of which the store has the hash alone. */
export class Codes {
  readonly #dependencies: CodesDependencies

  constructor(dependencies: CodesDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Makes a code. Whoever calls this has authenticated the user and has their consent. `familySeconds`: how long refresh
   * tokens that it gives can live.
   */
  async issue(clientId: string, grant: CodeGrant, familySeconds: number): Promise<string> {
    const { tenant, lifetimeSeconds, store, clock, random } = this.#dependencies
    const code = random.bytes(CODE_BYTES).toString('base64url')
    const issuedAt = unixSeconds(clock)
    const stored: StoredCode = { ...grant, issuedAt, expiresAt: issuedAt + lifetimeSeconds }
    await store.keepCode({
      tenant,
      hash: hashOf(code),
      grantId: random.uuid(),
      clientId,
      sub: grant.sub,
      grant: JSON.stringify(stored),
      // Remembered for as long as what it made can live, for its second use is a sign of theft even then.
      expiresAt: stored.expiresAt + familySeconds + MAX_TOKEN_SECONDS,
      consumed: false,
    })
    return code
  }

  async find(code: string): Promise<FoundCode | undefined> {
    const { tenant, store } = this.#dependencies
    const hash = hashOf(code)
    const record = await store.code(tenant, hash)
    if (!record) return undefined
    const { grantId, clientId, consumed } = record
    return { ...(JSON.parse(record.grant) as StoredCode), hash, grantId, clientId, consumed }
  }

  /** `grant_id`s of all codes that a client was given for a user, as long as something of one may live. */
  grantsOf(sub: string, clientId: string): Promise<readonly string[]> {
    const { tenant, store } = this.#dependencies
    return store.grantIds(tenant, sub, clientId)
  }

  /** True for the one that consumes it. */
  consume(code: FoundCode): Promise<boolean> {
    const { tenant, store } = this.#dependencies
    return store.consumeCode(tenant, code.hash)
  }
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest()
}
