import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { KubernetesWorkload, WorkloadIdentity } from '../../verifier/identity.ts'
import { CannotVerify, ProofRefusal } from '../../verifier/refusal.ts'
import type { Verifier } from '../../verifier/verifier.ts'
import { BrokerError } from '../errors.ts'
import { RateLimit } from '../rate_limit.ts'
import { Slots } from '../slots.ts'
import { bearerOf } from './bearer.ts'
import type { Callers, Calling } from './callers.ts'
import { HeldProof } from './held_proof.ts'
import type { Workload } from './workload.ts'

export interface PresentedDependencies {
  readonly verifier: Verifier
  readonly workloadOf: (proof: HeldProof) => Workload
  readonly maxWorkloads: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

interface Resident {
  readonly workload: Workload
  readonly proof: HeldProof
}

/** A token that was verified lately. */
interface Seen {
  readonly resident: Resident
  /** Unix seconds. */
  readonly expiresAt: number
  /** Monotonic; verified anew after it. */
  readonly until: number
}

type CallerRefusal = 'caller_missing' | 'caller_unproven' | 'caller_elsewhere' | 'caller_not_pod'

const SEEN_MS = 10_000
/** Tokens with which one network address may fail: checking a signature is work. */
const FAILURES = { perSecond: 5, burst: 50 }
const MAX_ADDRESSES = 4_096
const MAX_TOKEN_LENGTH = 16_384
/** Verifications under way at once. */
const MAX_CHECKS = 256
/** Of these by one network address: an issuer that hangs must not let one of them take the places of all. */
const MAX_CHECKS_PER_ADDRESS = 32

/**
 * Callers that show their own projected tokens. The claim that names the node is the boundary: the address of this broker
 * can be reached from the whole cluster. Never an identity by the address that a request came from, and never a default one.
 */
export class PresentedCallers implements Callers {
  readonly #dependencies: PresentedDependencies
  readonly #residents: LRUCache<string, Resident>
  readonly #seen: LRUCache<string, Seen>
  readonly #failures: LRUCache<string, RateLimit>
  readonly #places = new Slots(MAX_CHECKS_PER_ADDRESS)
  readonly #checks = new Map<string, Promise<Calling>>()
  readonly #listeners: ((workload: Workload) => void)[] = []

  constructor(dependencies: PresentedDependencies) {
    this.#dependencies = dependencies
    this.#residents = new LRUCache({
      max: dependencies.maxWorkloads,
      dispose: ({ workload }) => {
        for (const listener of this.#listeners) listener(workload)
      },
    })
    // A rotation leaves a pod with two good tokens, and its containers may have audiences of their own.
    this.#seen = new LRUCache({ max: dependencies.maxWorkloads * 4 })
    this.#failures = new LRUCache({ max: MAX_ADDRESSES })
  }

  of(request: IncomingMessage): Calling | Promise<Calling> {
    const token = bearerOf(request)
    if (token === undefined) return this.#refuse('caller_missing', 'missing')
    return this.#callerOf(token, request.socket.remoteAddress)
  }

  readonly byToken = (token: string, address: string | undefined): Promise<Calling> =>
    Promise.resolve(this.#callerOf(token, address))

  onGone(listener: (workload: Workload) => void): void {
    this.#listeners.push(listener)
  }

  *workloads(): Generator<Workload> {
    for (const [key, { workload, proof }] of this.#residents.entries()) {
      // Tokens die with the proof that they came from.
      if (proof.hasEnded) this.#residents.delete(key)
      else yield workload
    }
  }

  #callerOf(token: string, address: string | undefined): Calling | Promise<Calling> {
    if (token.length > MAX_TOKEN_LENGTH) return this.#refuse('caller_unproven', 'too_large')
    const name = hash('sha256', token, 'base64url')
    const seen = this.#seen.get(name)
    if (seen && this.#isGood(seen)) return seen.resident.workload
    const failures = this.#failuresOf(address ?? '')
    // The hash of a token that was good once is no guess: bad tokens from the same address lock nobody out who has one.
    if (!seen && !failures.has()) return new BrokerError('rate_limited', { retryAfterSeconds: 1 })
    const under = this.#checks.get(name)
    if (under) return under
    if (this.#checks.size >= MAX_CHECKS) return new BrokerError('overloaded')
    const check = this.#places
      .run(failures, () => this.#verify(token, name, failures))
      ?.finally(() => this.#checks.delete(name))
    if (!check) return new BrokerError('overloaded')
    this.#checks.set(name, check)
    return check
  }

  #isGood({ resident, expiresAt, until }: Seen): boolean {
    const { clock } = this.#dependencies
    return (
      clock.monotonic() < until &&
      unixSeconds(clock) < expiresAt &&
      this.#residents.get(keyOf(resident.proof)) === resident
    )
  }

  async #verify(token: string, name: string, failures: RateLimit): Promise<Calling> {
    const { verifier, clock } = this.#dependencies
    const verdict = await verifier.verify(token)
    if (verdict instanceof CannotVerify) {
      return new BrokerError('cannot_verify', { retryAfterSeconds: verdict.retryAfterSeconds })
    }
    const fail = (code: CallerRefusal, reason: string): BrokerError => {
      failures.take()
      // From now on it is one bad token among others.
      this.#seen.delete(name)
      return this.#refuse(code, reason)
    }
    if (verdict instanceof ProofRefusal) return fail(codeOf(verdict), verdict.code)
    const pod = podOf(verdict)
    if (!pod) return fail('caller_not_pod', 'not_pod_bound')
    const { expiresAt } = pod.workload
    const left = expiresAt * 1000 - clock.wall()
    // The leeway of a verifier is for what ends here. This token is to be exchanged yet, and would be the broker's fault then.
    if (left <= 0) return fail('caller_unproven', 'expired')
    const resident = this.#residentOf(pod, token)
    // By both clocks: a wall clock that is set back gives a token no longer life than it had.
    const until = clock.monotonic() + Math.min(SEEN_MS, left)
    this.#seen.set(name, { resident, expiresAt, until })
    return resident.workload
  }

  #residentOf({ workload, uid }: PodBound, token: string): Resident {
    const { clock, workloadOf } = this.#dependencies
    const subject = { issuer: workload.issuer, sub: workload.subject, instance: uid }
    const fresh = new HeldProof(subject, token, workload.expiresAt, clock)
    const known = this.#residents.get(keyOf(fresh))
    if (known && !known.proof.hasEnded) {
      known.proof.offer(token, workload.expiresAt)
      return known
    }
    const resident = { proof: fresh, workload: workloadOf(fresh) }
    this.#residents.set(keyOf(fresh), resident)
    return resident
  }

  #failuresOf(address: string): RateLimit {
    const known = this.#failures.get(address)
    if (known) return known
    const fresh = new RateLimit(FAILURES, this.#dependencies.clock)
    this.#failures.set(address, fresh)
    return fresh
  }

  #refuse(code: CallerRefusal, reason: string): BrokerError {
    const { log, metrics } = this.#dependencies
    metrics.tally('callers', { reason }).add()
    log.warn('a caller was refused', { event: 'caller.refused', code, reason })
    return new BrokerError(code)
  }
}

function keyOf({ subject: { issuer, sub, instance } }: HeldProof): string {
  return JSON.stringify([issuer, sub, instance])
}

function codeOf({ code }: ProofRefusal) {
  if (code === 'node_mismatch') return 'caller_elsewhere'
  return code === 'not_pod_bound' ? 'caller_not_pod' : 'caller_unproven'
}

interface PodBound {
  readonly workload: KubernetesWorkload
  readonly uid: string
}

function podOf(identity: WorkloadIdentity): PodBound | undefined {
  if (identity.kind !== 'kubernetes' || !identity.pod) return undefined
  return { workload: identity, uid: identity.pod.uid }
}
