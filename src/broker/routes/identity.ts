import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Answers } from '../answers.ts'
import { BrokerError } from '../errors.ts'
import type { LocalGate } from '../local_gate.ts'
import { ProofFault } from '../proof.ts'
import type { Handler } from './token.ts'

export interface IdentityRouteDependencies {
  readonly gate: LocalGate
  readonly clock: Clock
  readonly answers: Answers
}

/** `GET /v1/identity`: who this workload is, and what it may ask for here, for people who ask. */
export function identityRoute({ gate, clock, answers }: IdentityRouteDependencies): Handler {
  return async (workload, _request, reply) => {
    const { proofs, agent } = workload
    const proof = proofs.last() ?? (await proofs.read())
    if (proof instanceof ProofFault) {
      return answers.refuse(reply, 'identity', new BrokerError(proof.code))
    }
    const { subject, expiresAt } = proof
    const { allow, limits } = gate.allowedTo(workload)
    const body = {
      proof: {
        issuer: subject.issuer,
        subject: subject.sub,
        ...(subject.instance !== '' && { pod_uid: subject.instance }),
        expires_in: Math.max(0, expiresAt - unixSeconds(clock)),
      },
      // Known from the first token on.
      agent: agent ? { sub: agent.sub, client_id: agent.client_id } : null,
      // What the local policy leaves of that; null: whatever the authority allows.
      allow,
      limits: {
        exchanges_per_minute: limits.exchangesPerMinute,
        audiences_per_hour: limits.audiencesPerHour,
        act_depth: limits.actDepth,
        subjects_at_once: limits.subjectsAtOnce,
        exchanges_per_subject_per_minute: limits.exchangesPerSubjectPerMinute,
      },
    }
    return answers.send(reply, 'identity', JSON.stringify(body))
  }
}
