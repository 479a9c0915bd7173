import { repeatedly, type Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import { BrokerError } from '../errors.ts'
import { BackOff } from './back_off.ts'
import { dated, type SinkToken } from './dated_token.ts'
import { Told } from './told.ts'
import { TokenFile, type SinkSettings, type TokenFileDependencies } from './token_file.ts'

export type { SinkSettings, SinkToken }

/** The token that the sink keeps in its file. */
export interface SinkTokens {
  /** What the broker has at this moment, without waiting. It is asked every second, which keeps the token refreshed. */
  current(): SinkToken | undefined
  /** Why the broker would give none now, as its authority said lately; undefined where nothing is known against it. */
  refusal(): BrokerError | undefined
  /** By an exchange. A refusal below status 500, other than 429, holds until somebody changes the policy. */
  fetch(): Promise<SinkToken | BrokerError>
}

export interface Sink {
  /** True once a first token was written. */
  done(): boolean
  /** Ends it and removes the file; a write under way comes to its end first. Never rejects. */
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 1_000
/** A token too short-lived for the broker to keep is fetched anew at half of its life, which else were every second. */
const LONGEST_REST_MS = 10_000

/** Keeps a token in a file, for programs that read files, from now on until it is stopped. */
export function fileSink(
  settings: SinkSettings,
  tokens: SinkTokens,
  dependencies: TokenFileDependencies,
): Sink {
  const sink = new FileSink(settings, tokens, dependencies)
  sink.start()
  return sink
}

class FileSink implements Sink {
  readonly #path: string
  readonly #tokens: SinkTokens
  readonly #clock: Clock
  readonly #log: Log
  readonly #file: TokenFile
  readonly #fetching: BackOff
  readonly #refused = new Told()
  readonly #unexpected = new Told()
  #isFetching = false
  #stopped = false
  #cancel = (): void => {}
  /** One thing at a time is done to the file: a write that ends after a removal would leave it there. */
  #turn: Promise<void> = Promise.resolve()

  constructor(settings: SinkSettings, tokens: SinkTokens, dependencies: TokenFileDependencies) {
    const { clock, random, log } = dependencies
    this.#path = settings.file
    this.#tokens = tokens
    this.#clock = clock
    this.#log = log
    this.#file = new TokenFile(settings, dependencies)
    this.#fetching = new BackOff(clock, random)
  }

  start(): void {
    void this.#inTurn(() => this.#file.sweep())
    void this.#inTurn(() => this.#look())
    this.#cancel = repeatedly(this.#clock, LOOK_EVERY_MS, () => this.#inTurn(() => this.#look()))
  }

  done(): boolean {
    return this.#file.written
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#inTurn(() => this.#file.clear())
  }

  async #look(): Promise<void> {
    if (this.#stopped) return
    try {
      await this.#takeCurrent()
    } finally {
      // Whatever else goes wrong, a token does not outlive its end.
      await this.#file.tend()
    }
  }

  async #takeCurrent(): Promise<void> {
    const current = this.#tokens.current()
    const token = current && dated(current, this.#clock)
    if (token) {
      this.#fetching.succeeded()
      this.#refused.over()
      await this.#file.put(token)
      return
    }
    // Another caller may have heard it: the file does not wait for an exchange of its own.
    const refusal = this.#tokens.refusal()
    if (refusal && endsToken(refusal)) await this.#file.refuse()
    if (!this.#isFetching && this.#fetching.isDue()) {
      // Not waited for: an exchange takes seconds, and what lies in the file may end meanwhile.
      void this.#fetch()
    }
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true
    const fetched = await Promise.try(() => this.#tokens.fetch()).catch(
      () => new BrokerError('unexpected'),
    )
    const token = fetched instanceof BrokerError ? undefined : dated(fetched, this.#clock)
    await this.#inTurn(async () => {
      if (this.#stopped) return
      if (fetched instanceof BrokerError) return this.#noToken(fetched)
      this.#refused.over()
      // The same again is what the broker serves through an outage of its authority.
      if (!token || this.#file.holds(token)) {
        this.#fetching.failed()
        return
      }
      this.#fetching.succeeded(Math.min(fetched.expiresIn * 500, LONGEST_REST_MS))
      await this.#file.put(token)
    })
    this.#isFetching = false
  }

  async #noToken({ code, status, retryAfterSeconds = 0 }: BrokerError): Promise<void> {
    this.#fetching.failed(retryAfterSeconds * 1000)
    if (this.#refused.isNew(code)) {
      this.#log.warn('there is no token for a file', { file: this.#path, code })
    }
    if (endsToken({ status })) await this.#file.refuse()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).then(
      () => {},
      (error: unknown) => {
        const cause = causeOf(error)
        if (this.#unexpected.isNew(JSON.stringify(cause))) {
          this.#log.error('a token file is not looked after', { ...cause, file: this.#path })
        }
      },
    )
    return this.#turn
  }
}

/** A budget that is used up says nothing against the token that lies there. */
function endsToken({ status }: Pick<BrokerError, 'status'>): boolean {
  return status < 500 && status !== 429
}
