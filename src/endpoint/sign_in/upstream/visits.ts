import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { unixSeconds, type Clock } from '../../../platform/clock.ts'
import type { Random } from '../../../platform/random.ts'
import type { Store } from '../../../store/store.ts'
import type { Binding } from './upstream.ts'

/** For a second factor there, and a password that has to be looked for. */
const LIFETIME_SECONDS = 600
const STATE = /^[A-Za-z0-9_-]{43}$/

interface Dependencies {
  readonly tenant: string
  readonly key: Buffer
  /** Where a provider sends the browser back, by the provider's name. */
  readonly redirectUri: (upstream: string) => string
  readonly store: Pick<Store, 'keepUpstreamVisit' | 'takeUpstreamVisit'>
  readonly clock: Clock
  readonly random: Random
}

/** Somebody who came back from the provider to which we sent them, in the same browser. */
export interface Return {
  readonly binding: Binding
  /** Where they go on from there. */
  readonly next: string
}

/** Who was sent to another provider, and comes back: once, in time, from there, in the same browser (RFC 9700 section 4.7). */
export class UpstreamVisits {
  readonly #dependencies: Dependencies

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies
  }

  /** `browser`: what its cookie holds. */
  async begin(upstream: string, browser: string, next: string): Promise<Binding> {
    const { tenant, store, clock, random } = this.#dependencies
    const state = random.bytes(32).toString('base64url')
    await store.keepUpstreamVisit({
      tenant,
      hash: hashOf(state),
      upstream,
      browser: hashOf(browser),
      next,
      expiresAt: unixSeconds(clock) + LIFETIME_SECONDS,
    })
    return this.#bindingOf(upstream, state)
  }

  /** Undefined: nobody of ours comes back like this. A `state` that is known is used up all the same. */
  async end(
    upstream: string,
    browser: string | undefined,
    state: string | undefined,
  ): Promise<Return | undefined> {
    if (state === undefined || !STATE.test(state)) return undefined
    const { tenant, store, clock } = this.#dependencies
    const visit = await store.takeUpstreamVisit(tenant, hashOf(state))
    if (!visit || visit.upstream !== upstream || visit.expiresAt <= unixSeconds(clock)) {
      return undefined
    }
    // Who began it elsewhere would sign this browser in as themselves (login CSRF).
    const isSame = browser !== undefined && timingSafeEqual(visit.browser, hashOf(browser))
    return isSame ? { binding: this.#bindingOf(upstream, state), next: visit.next } : undefined
  }

  /** What the store has is worth nothing without our key. */
  #bindingOf(upstream: string, state: string): Binding {
    return {
      state,
      nonce: this.#derive('nonce', state),
      verifier: this.#derive('code_verifier', state),
      redirectUri: this.#dependencies.redirectUri(upstream),
    }
  }

  #derive(use: string, state: string): string {
    return createHmac('sha256', this.#dependencies.key)
      .update(`${use} ${state}`)
      .digest('base64url')
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
