import { isSameSubject, type KeySubject } from '../../cache/key.ts'
import { tokenTypes, type TokenType } from '../../oauth/token_types.ts'
import type { Clock } from '../../platform/clock.ts'
import { subjectKey } from '../../policy/local/subject_key.ts'
import type { OnBehalfOf } from '../bearers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import type { LocalGate } from '../local_gate.ts'
import { ProofFault } from '../proof.ts'
import type { Acting } from './acting.ts'
import { digestOf, readSubject } from './subject.ts'

export interface FindActingDependencies {
  readonly gate: LocalGate
  readonly clock: Clock
}

/** On whose behalf, and of which type a token is that was shown. */
export type Behalf = OnBehalfOf & { readonly tokenType?: TokenType }

/** Whose pod this is, by the proof that it has; at once where one was read before. */
export function ownerOf(workload: Workload): KeySubject | Promise<KeySubject | BrokerError> {
  const { proofs } = workload
  const proof = proofs.last()
  if (proof) return proof.subject
  return proofs
    .read()
    .then((read) => (read instanceof ProofFault ? new BrokerError(read.code) : read.subject))
}

/** Where a workload acts for whom it says: a session that it began, or what is known of a subject token. */
export function actingFor(
  workload: Workload,
  owner: KeySubject,
  behalf: Behalf,
  { gate, clock }: FindActingDependencies,
): Acting | BrokerError {
  const { subjects } = workload
  if (behalf.kind === 'session') return subjects.session(behalf.id, owner)
  const { token, tokenType = tokenTypes.access_token } = behalf
  const known = subjects.known(digestOf(token, tokenType), owner)
  if (known) return known
  const subject = readSubject(token, tokenType, clock)
  if (subject instanceof BrokerError) return subject
  return gate.deniesSubject(workload, subjectKey(subject)) ?? subjects.loose(subject, owner)
}

/**
 * Whether the pod still has the proof of whom this belongs to. With another's in its volume the own token is of another agent,
 * which would come to act under the name of the first.
 */
export function isOfOwner({ proofs }: Workload, { owner }: Acting): boolean {
  const proof = proofs.last()
  return proof !== undefined && isSameSubject(proof.subject, owner)
}
