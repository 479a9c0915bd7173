import * as openid from 'openid-client'
import type { Clock } from '../../../platform/clock.ts'

const FRESH_MS = 3_600_000
/** How long a document serves while it cannot be fetched anew. */
const STALE_MS = 86_400_000
/** After a failure nobody is asked for so long: people press buttons again and again. */
const PAUSE_MS = 5_000

export type Metadata = Readonly<openid.ServerMetadata> & {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
}

/** The document is not that of the issuer, or cannot be used. */
export class DocumentWrong extends Error {}

/** The discovery document of a provider (OpenID Connect Discovery 1.0 section 4), one fetch at a time. */
export class Discovery {
  readonly #issuer: string
  readonly #clock: Clock
  #known: { readonly metadata: Metadata; readonly at: number } | undefined
  #failed: { readonly error: unknown; readonly at: number } | undefined
  #flight: Promise<void> | undefined

  constructor(issuer: string, clock: Clock) {
    this.#issuer = issuer
    this.#clock = clock
  }

  /** @throws whatever kept it from being fetched, and DocumentWrong */
  async metadata(fetch: openid.CustomFetch): Promise<Metadata> {
    if (!this.#isKnownFor(FRESH_MS) && !this.#isPaused()) {
      this.#flight ??= this.#renew(fetch).finally(() => {
        this.#flight = undefined
      })
      await this.#flight
    }
    if (this.#known && this.#isKnownFor(STALE_MS)) return this.#known.metadata
    throw this.#failed?.error
  }

  async #renew(fetch: openid.CustomFetch): Promise<void> {
    const at = this.#clock.monotonic()
    try {
      this.#known = { metadata: await discover(this.#issuer, fetch), at }
      this.#failed = undefined
    } catch (error) {
      this.#failed = { error, at }
    }
  }

  #isKnownFor(ms: number): boolean {
    return this.#known !== undefined && this.#clock.monotonic() - this.#known.at < ms
  }

  #isPaused(): boolean {
    return this.#failed !== undefined && this.#clock.monotonic() - this.#failed.at < PAUSE_MS
  }
}

async function discover(issuer: string, fetch: openid.CustomFetch): Promise<Metadata> {
  const found = await openid.discovery(new URL(issuer), 'unused', undefined, openid.None(), {
    [openid.customFetch]: fetch,
    // What may be fetched is the rule of `boundedFetch`, which lets plain HTTP not leave the machine.
    execute: [openid.allowInsecureRequests],
  })
  const metadata = found.serverMetadata()
  // The library is lax with some well-known issuers. A document of another issuer is a mix-up (RFC 9700 section 4.4).
  if (metadata.issuer !== issuer) throw new DocumentWrong('issuer')
  const { authorization_endpoint: authorization, token_endpoint: token, jwks_uri: keys } = metadata
  if (!isEndpoint(authorization, issuer)) throw new DocumentWrong('authorization_endpoint')
  if (!isEndpoint(token, issuer)) throw new DocumentWrong('token_endpoint')
  if (!isEndpoint(keys, issuer)) throw new DocumentWrong('jwks_uri')
  return {
    ...metadata,
    authorization_endpoint: authorization,
    token_endpoint: token,
    jwks_uri: keys,
  }
}

/** What is not https may be asked of an issuer on the loopback only. */
function isEndpoint(address: unknown, issuer: string): address is string {
  if (typeof address !== 'string' || !URL.canParse(address)) return false
  const { protocol, username, password } = new URL(address)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))
}
