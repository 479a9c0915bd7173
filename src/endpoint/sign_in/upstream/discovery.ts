import * as openid from 'openid-client'
import type { Clock } from '../../../platform/clock.ts'
import { isSafeUrl } from '../../../platform/http_client.ts'

const FRESH_MS = 3_600_000
/** How long a document serves while it cannot be fetched anew. */
const STALE_MS = 86_400_000
/** After a failure nobody is asked for so long: people press buttons again and again. */
const PAUSE_MS = 5_000

/** The document is not that of the issuer, or cannot be used. */
export class DocumentWrong extends Error {}

/** The discovery document of a provider (OpenID Connect Discovery 1.0 section 4), one fetch at a time. */
export class Discovery {
  readonly #issuer: string
  readonly #clock: Clock
  #known: { readonly metadata: openid.ServerMetadata; readonly at: number } | undefined
  #failed: { readonly error: unknown; readonly at: number } | undefined
  #flight: Promise<void> | undefined

  constructor(issuer: string, clock: Clock) {
    this.#issuer = issuer
    this.#clock = clock
  }

  /** @throws whatever kept it from being fetched, and DocumentWrong */
  async metadata(fetch: openid.CustomFetch): Promise<openid.ServerMetadata> {
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

async function discover(issuer: string, fetch: openid.CustomFetch): Promise<openid.ServerMetadata> {
  const found = await openid.discovery(new URL(issuer), 'unused', undefined, openid.None(), {
    [openid.customFetch]: fetch,
    // What may be fetched is the rule of `boundedFetch`, which lets plain HTTP not leave the machine.
    execute: [openid.allowInsecureRequests],
  })
  const metadata = found.serverMetadata()
  // The library is lax with some well-known issuers. A document of another issuer is a mix-up (RFC 9700 section 4.4).
  if (metadata.issuer !== issuer) throw new DocumentWrong('issuer')
  for (const member of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    if (!isEndpoint(metadata[member], issuer)) throw new DocumentWrong(member)
  }
  return metadata
}

/** What is not https may be asked of an issuer on the loopback only. */
function isEndpoint(address: unknown, issuer: string): boolean {
  if (typeof address !== 'string' || !URL.canParse(address)) return false
  const url = new URL(address)
  return isSafeUrl(url) && (url.protocol === 'https:' || issuer.startsWith('http:'))
}
