import type { IncomingMessage } from 'node:http'
import type { BrokerError } from '../errors.ts'
import type { Workload } from './workload.ts'

export type Calling = Workload | BrokerError

/** Tells whose a request is. */
export interface Callers {
  /** At once where nothing has to be found out: this is the hot path. */
  of(request: IncomingMessage): Calling | Promise<Calling>
  /** Of whom a token proves that it calls, shown elsewhere than in the header; undefined where callers show none. */
  readonly byToken: ((token: string, address: string | undefined) => Promise<Calling>) | undefined
  workloads(): Iterable<Workload>
  /** Calls back with each workload that is forgotten: its proof ended, or others took its place. */
  onGone(listener: (workload: Workload) => void): void
}

/** A sidecar: whoever reaches its loopback or its socket is the pod. */
export function podItself(workload: Workload): Callers {
  return { of: () => workload, byToken: undefined, workloads: () => [workload], onGone: () => {} }
}
