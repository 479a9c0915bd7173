import type {
  Exchanger,
  ExchangeFailure,
  ExchangeRequest,
  IssuedToken,
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
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  async exchange(request: ExchangeRequest): Promise<IssuedToken | ExchangeFailure> {
    this.asked.push(request)
    await this.#gate?.promise
    if (this.#failure) return this.#failure
    this.#issued += 1
    return {
      accessToken: this.tokenOf(this.#issued, request),
      scope: request.scope?.join(' ') ?? 'agent:self',
      lifetimeSeconds: this.lifetimeSeconds,
    }
  }
}
