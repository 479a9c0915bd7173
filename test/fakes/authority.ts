import {
  ExchangeFailure,
  type Exchanger,
  type ExchangeRequest,
  type IssuedToken,
} from '../../src/exchange/exchanger.ts'

/**
 * An authority as the broker meets it. It is up, fails as it is told to, or takes its time: then every exchange waits until
 * it is released, and is answered by what the authority is by then.
 */
export class FakeAuthority implements Exchanger {
  readonly asked: ExchangeRequest[] = []
  lifetimeSeconds = 3_600
  /** The text of the token with this number, for this request. */
  tokenOf: (count: number, request: ExchangeRequest) => string = (count) => `token-${String(count)}`
  /** The scopes that it grants, all or none, and all of them where none is named. Undefined: whatever is named. */
  grants: readonly string[] | undefined
  #failure: ExchangeFailure | undefined
  #gate: PromiseWithResolvers<void> | undefined
  #issued = 0

  fail(failure: ExchangeFailure): void {
    this.#failure = failure
  }

  recover(): void {
    this.#failure = undefined
  }

  slowDown(): void {
    // Told twice, it is released once: whoever waits since the first time is not to wait for ever.
    this.#gate ??= Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  async exchange(request: ExchangeRequest): Promise<IssuedToken | ExchangeFailure> {
    this.asked.push(request)
    await this.#gate?.promise
    if (this.#failure) return this.#failure
    const { scope } = request
    const { grants } = this
    if (grants && scope?.some((value) => !grants.includes(value)) === true) {
      return new ExchangeFailure('relayed', 'invalid_scope', 'it answered 400')
    }
    this.#issued += 1
    return {
      accessToken: this.tokenOf(this.#issued, request),
      scope: (scope ?? grants ?? ['agent:self']).join(' '),
      lifetimeSeconds: this.lifetimeSeconds,
    }
  }
}
