import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { DOCS, scopes } from './authority.ts'
import type { World } from './world.ts'

/** A request of a caller, and what came of it. */
export interface Heard {
  readonly by: 'holder' | 'newcomer'
  readonly key: string
  /** The steps in which it began and ended. */
  readonly began: number
  readonly ended: number
  /** Of the machine, in milliseconds. */
  readonly beganAt: number
  readonly endedAt: number
  /** The status, and of a refusal its code. */
  readonly outcome: string
  readonly retryAfter: number | undefined
  readonly token: SeenToken | undefined
  /** The moment of its beginning and end, for whoever judges by clocks. */
  readonly times: { readonly began: Times; readonly ended: Times }
}

export interface SeenToken {
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Seconds, as the answer says. */
  readonly expiresIn: number
}

/** What the clocks say, in milliseconds: both of the broker, and one that is right. */
export interface Times {
  readonly wall: number
  readonly monotonic: number
  readonly right: number
}

const HOLDER_PAUSE_MS = 100
const NEWCOMER_PAUSE_MS = 250
const NEWCOMERS = 2
/** Longer than any answer of a broker may take. */
const PATIENCE_MS = 30_000

/** The token that all holders have. */
const HELD = `audience=${DOCS}`

/** Callers that ask all the time, until they are told to stop. */
export class Callers {
  readonly heard: Heard[] = []
  step = 0
  readonly #world: World
  readonly #agent = new Agent({ keepAlive: true })
  readonly #running: Promise<void>[] = []
  readonly #stopping = new AbortController()
  #asked = 0
  readonly #holdersProof: () => string

  /** `followsProof`: whether those that have a token take up a new proof. */
  constructor(world: World, followsProof: boolean) {
    const { cluster } = world
    const first = cluster.proof
    this.#world = world
    this.#holdersProof = () => (followsProof ? cluster.proof : first)
  }

  /** Each asks for the same token. Resolves when the first has it. */
  async startHolders(count: number): Promise<void> {
    const first = await this.#ask('holder', HELD)
    this.heard.push(first)
    if (first.outcome !== '200') throw new Error(`the first token did not come: ${first.outcome}`)
    for (let index = 0; index < count; index += 1) {
      this.#loop('holder', () => HELD, HOLDER_PAUSE_MS)
    }
  }

  /** Each asks for a token that nobody has, and for another one the next time. */
  startNewcomers(): void {
    if (this.#asked > 0) return
    for (let index = 0; index < NEWCOMERS; index += 1) {
      this.#loop('newcomer', () => this.#another(), NEWCOMER_PAUSE_MS)
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
    this.#agent.destroy()
  }

  #another(): string {
    this.#asked += 1
    const wanted = scopes.filter((_, index) => (this.#asked & (1 << index)) !== 0)
    return `${HELD}&scope=${wanted.join('+')}`
  }

  #loop(by: Heard['by'], next: () => string, pauseMs: number): void {
    const { signal } = this.#stopping
    const run = async (): Promise<void> => {
      while (!signal.aborted) {
        this.heard.push(await this.#ask(by, next()))
        await pause(pauseMs, undefined, { signal }).catch(() => {})
      }
    }
    this.#running.push(run())
  }

  async #ask(by: Heard['by'], key: string): Promise<Heard> {
    const beganAt = performance.now()
    const began = this.step
    const times = this.#times()
    const proof = by === 'holder' ? this.#holdersProof() : this.#world.cluster.proof
    const answer = await this.#send(key, proof)
    return {
      by,
      key,
      began,
      ended: this.step,
      beganAt,
      endedAt: performance.now(),
      times: { began: times, ended: this.#times() },
      ...answer,
    }
  }

  #times(): Times {
    const { clocks, era } = this.#world
    return {
      wall: clocks.broker.wall(),
      monotonic: clocks.broker.monotonic(),
      right: era.wall(),
    }
  }

  #send(query: string, proof: string): Promise<Pick<Heard, 'outcome' | 'retryAfter' | 'token'>> {
    const { wish, brokerAt } = this.#world
    const [host, port] = brokerAt.split(':')
    const { promise, resolve } =
      Promise.withResolvers<Pick<Heard, 'outcome' | 'retryAfter' | 'token'>>()
    const fail = (outcome: string): void => {
      resolve({ outcome, retryAfter: undefined, token: undefined })
    }
    const outgoing = request({
      host,
      port,
      path: `/v1/token?${query}`,
      agent: this.#agent,
      timeout: PATIENCE_MS,
      headers: {
        'lumo-broker': 'true',
        ...(wish.shape === 'node' && { authorization: `Bearer ${proof}` }),
      },
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 30 s')))
    outgoing.on('error', ({ message }) => {
      fail(message)
    })
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', ({ message }) => {
        fail(message)
      })
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const body = JSON.parse(text) as Readonly<Record<string, unknown>>
        const after = incoming.headers['retry-after']
        resolve({
          outcome:
            incoming.statusCode === 200
              ? '200'
              : `${String(incoming.statusCode)} ${String(body['code'])}`,
          retryAfter: after === undefined ? undefined : Number(after),
          token: incoming.statusCode === 200 ? tokenIn(body) : undefined,
        })
      })
    })
    outgoing.end()
    return promise
  }
}

function tokenIn(body: Readonly<Record<string, unknown>>): SeenToken {
  const text = String(body['access_token'])
  const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8')
  const { exp } = JSON.parse(payload) as { readonly exp: number }
  return { text, expiresAt: exp * 1000, expiresIn: Number(body['expires_in']) }
}
