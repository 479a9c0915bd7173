import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Calling, Callers } from '../caller/callers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { unproven, type Shown } from './credentials.ts'

/** What stands for the header of the other routes, which clients that know no broker cannot set. */
export type DropInGuard =
  /** The guard value has this digest, as of now. */
  | { readonly kind: 'secret'; readonly digest: () => Buffer }
  /** The caller's own token is its secret, or its assertion. */
  | { readonly kind: 'caller' }
  /**
   * Nothing: whoever can send a form to this address gets tokens. A secret that is sent all the same is not looked at, for
   * a client of another library cannot be told to send none, and whatever its configuration holds is as good.
   */
  | { readonly kind: 'none' }
  | { readonly kind: 'off' }

/** Whose a request is, and whether its client showed what the guard asks for. */
export interface Client {
  readonly workload: Workload
  readonly proven: boolean
}

export type ClientProof = (shown: Shown, request: IncomingMessage) => Promise<Client | BrokerError>

/** The digest that a guard value is compared by. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Judges what clients show. One that shows nothing is unproven where the pod itself is the caller, and refused elsewhere. */
export function clientProof(guard: DropInGuard, callers: Callers): ClientProof {
  const { byToken } = callers
  if (guard.kind === 'off') return () => Promise.resolve(new BrokerError('drop_in_off'))
  if (guard.kind === 'caller' || byToken) {
    // A guard value would be everybody's, and everybody could ask in the name of every other pod.
    return byToken ? callerProof(byToken) : () => Promise.resolve(unproven(false))
  }
  return async (shown, request) => {
    if (shown.assertion !== undefined) return new BrokerError('assertion_unsupported')
    const workload = await callers.of(request)
    if (workload instanceof BrokerError) return workload
    if (guard.kind === 'none') return { workload, proven: true }
    if (shown.secret === undefined) return { workload, proven: false }
    // Over digests: of one length whatever is sent, so that the time tells nothing and no length is to be compared first.
    const equal = timingSafeEqual(digestOf(shown.secret), guard.digest())
    return equal ? { workload, proven: true } : unproven(shown.byHeader)
  }
}

type ByToken = (token: string, address: string | undefined) => Promise<Calling>

function callerProof(byToken: ByToken): ClientProof {
  return async ({ secret, assertion, byHeader }, { socket }) => {
    const token = secret ?? assertion
    if (token === undefined) return unproven(byHeader)
    const caller = await byToken(token, socket.remoteAddress)
    if (!(caller instanceof BrokerError)) return { workload: caller, proven: true }
    return caller.status === 401 ? unproven(byHeader) : caller
  }
}
