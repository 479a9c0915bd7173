import type { CacheKey } from '../../cache/key.ts'
import type { Clock } from '../../platform/clock.ts'
import { BrokerError } from '../errors.ts'
import type { Wish } from '../wish.ts'
import type { Acting } from './acting.ts'
import type { Handle } from './handle.ts'
import type { Identifiers, IdentifierDigest } from './identifiers.ts'

/** What users may have been asked at once by one workload: more would be a nuisance to people. */
const MAX_PENDING = 32
/** Those with an answer, too. */
const MAX_KNOWN = 256
/** How long an answer can be had. */
const ANSWER_MS = 600_000

/** The handles of one workload: bounded, each until its answer has had its time. */
export class Handles {
  readonly #identifiers: Identifiers
  readonly #clock: Clock
  /** The oldest first. */
  readonly #known = new Map<IdentifierDigest, Handle>()

  constructor(identifiers: Identifiers, clock: Clock) {
    this.#identifiers = identifiers
    this.#clock = clock
  }

  /** One for each thing that is asked for: whoever asks again waits by the same one. */
  open(
    acting: Acting,
    { wish, key }: { readonly wish: Wish; readonly key: CacheKey },
    { id: approval, expiresInMs }: { readonly id: string; readonly expiresInMs: number },
  ): Handle | BrokerError {
    const now = this.#clock.monotonic()
    if (this.pending().length >= MAX_PENDING) {
      return new BrokerError('handles_exhausted', { retryAfterSeconds: 1 })
    }
    if (this.#known.size >= MAX_KNOWN) this.#dropOldestAnswer()
    const { id, digest } = this.#identifiers.make()
    const handle: Handle = {
      id,
      digest,
      key,
      acting,
      wish,
      approval,
      pendingUntil: now + expiresInMs,
      state: { status: 'pending' },
      askAt: now,
      failures: 0,
      isAsking: false,
    }
    this.#known.set(digest, handle)
    acting.countAnswer(1)
    acting.handles.set(key, handle)
    return handle
  }

  find(id: string): Handle | BrokerError {
    const shown = this.#identifiers.read(id)
    if (shown.kind === 'lost') return new BrokerError('handle_lost')
    const handle = shown.kind === 'own' ? this.#known.get(shown.digest) : undefined
    return handle ?? new BrokerError('handle_unknown')
  }

  pending(): readonly Handle[] {
    return [...this.#known.values()].filter(({ state }) => state.status === 'pending')
  }

  forget(acting: Acting): void {
    for (const [digest, handle] of this.#known) {
      if (handle.acting === acting) this.#drop(digest)
    }
  }

  sweep(): void {
    const now = this.#clock.monotonic()
    for (const [digest, handle] of this.#known) {
      if (now >= handle.pendingUntil) settle(handle, { status: 'expired' })
      if (now >= handle.pendingUntil + ANSWER_MS) this.#drop(digest)
    }
  }

  #dropOldestAnswer(): void {
    for (const [digest, { state }] of this.#known) {
      if (state.status === 'pending') continue
      this.#drop(digest)
      return
    }
  }

  #drop(digest: IdentifierDigest): void {
    this.#known.get(digest)?.acting.countAnswer(-1)
    this.#known.delete(digest)
  }
}

/** Says what became of a handle; the first answer counts. */
export function settle(handle: Handle, state: Handle['state']): void {
  if (handle.state.status !== 'pending') return
  handle.state = state
  const { acting, key } = handle
  if (acting.handles.get(key) === handle) acting.handles.delete(key)
  // Whoever asks again at once does not ask a person again at once.
  if (state.status === 'denied') {
    acting.tokens.refuse(key, new BrokerError('consent_denied'), acting.tokens.ask())
  }
}
