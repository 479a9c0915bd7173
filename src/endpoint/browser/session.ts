import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import type { Store } from '../../store/store.ts'

/** OWASP ASVS 5.0, 7.3.2: a session ends, however much it is used. */
const LIFETIME_SECONDS = 12 * 3_600
const VALUE = /^[A-Za-z0-9_-]{43}$/

/** Somebody who is signed in. */
export interface Session {
  readonly user: string
  /** Unix seconds. */
  readonly authTime: number
  /** Hash of the pushed request for which they showed who they are. */
  readonly request: Uint8Array | undefined
}

interface SessionsDependencies {
  readonly tenant: string
  /** Whether the origin is https: all but a loopback is. */
  readonly isSecure: boolean
  /** For the values that forms carry. */
  readonly key: Buffer
  readonly store: Pick<Store, 'keepSession' | 'session' | 'endSession'>
  readonly clock: Clock
  readonly random: Random
}

/**
 * Who is signed in at a tenant, in which browser. The browser holds 256 random bits, of which the store has the hash; before
 * anybody signs in it holds such a value as well, to which forms are bound.
 */
export class Sessions {
  readonly #dependencies: SessionsDependencies
  readonly #cookie: string

  constructor(dependencies: SessionsDependencies) {
    this.#dependencies = dependencies
    const { tenant, isSecure } = dependencies
    // `__Host-`: no other host and no path of this one can have set it (RFC 6265bis section 4.1.3.2).
    this.#cookie = `${isSecure ? '__Host-' : ''}lumo-${tenant}`
  }

  /** The value that a browser sent, if it can be one of ours. Of two with one name there is no telling which is. */
  valueIn(cookies: string | undefined): string | undefined {
    const values = (cookies ?? '').split(/; */).flatMap((pair) => {
      const [name, value] = pair.split('=')
      return name === this.#cookie && value !== undefined ? [value] : []
    })
    const [value] = values
    return values.length === 1 && value !== undefined && VALUE.test(value) ? value : undefined
  }

  /** A value for a browser that has none, and the header that gives it. */
  visit(): { readonly value: string; readonly setCookie: string } {
    const value = this.#dependencies.random.bytes(32).toString('base64url')
    return { value, setCookie: this.#setCookie(value) }
  }

  /**
   * Somebody has shown who they are. The value is a new one, for the one before may have been planted (session fixation).
   * The header that gives it.
   */
  async open(user: string, before: string | undefined, request?: Uint8Array): Promise<string> {
    const { tenant, store, clock } = this.#dependencies
    if (before !== undefined) await store.endSession(tenant, hashOf(before))
    const { value, setCookie } = this.visit()
    const authTime = unixSeconds(clock)
    await store.keepSession({
      tenant,
      hash: hashOf(value),
      user,
      authTime,
      request,
      expiresAt: authTime + LIFETIME_SECONDS,
    })
    return setCookie
  }

  async find(value: string | undefined): Promise<Session | undefined> {
    if (value === undefined) return undefined
    const { tenant, store, clock } = this.#dependencies
    const record = await store.session(tenant, hashOf(value))
    return record && record.expiresAt > unixSeconds(clock) ? record : undefined
  }

  /** The header that takes the value from the browser. */
  async end(value: string | undefined): Promise<string> {
    const { tenant, store } = this.#dependencies
    if (value !== undefined) await store.endSession(tenant, hashOf(value))
    return this.#setCookie('', 0)
  }

  /** What a form of this browser has to carry: a page of another origin cannot know it. */
  formValue(value: string): string {
    return createHmac('sha256', this.#dependencies.key).update(value).digest('base64url')
  }

  /** Whether a form came from a page that this browser was given. */
  isOwnForm(value: string, given: string | undefined): boolean {
    const own = Buffer.from(this.formValue(value))
    const other = Buffer.from(given ?? '')
    return own.length === other.length && timingSafeEqual(own, other)
  }

  #setCookie(value: string, seconds = LIFETIME_SECONDS): string {
    const secure = this.#dependencies.isSecure ? '; Secure' : ''
    return `${this.#cookie}=${value}; Path=/; Max-Age=${String(seconds)}; HttpOnly; SameSite=Lax${secure}`
  }
}

function hashOf(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
