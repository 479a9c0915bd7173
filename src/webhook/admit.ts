import type { InjectionConfig } from '../config/webhook.ts'
import { wantedOf } from './annotations.ts'
import { inject, injectAgain, isInjected, isLabelled } from './inject.ts'
import type { Operation } from './patch.ts'
import type { Pod } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'
import { warningsOf } from './warnings.ts'

export interface Trusted {
  /** PEM. Undefined: the CAs of the system. */
  readonly caBundle: string | undefined
  /** PEM of what brokers of nodes serve with. */
  readonly brokerCa: string
}

export interface AdmissionDependencies {
  readonly injection: InjectionConfig
  /** What pods are to trust. Undefined: it is not known yet, or no more. */
  readonly trusted: () => Trusted | undefined
  /** The guard value of one pod. */
  readonly drawSecret: () => string
}

export interface Admission {
  readonly outcome: readonly Operation[] | InjectionRefusal
  readonly warnings: readonly string[]
}

const untouched: Admission = { outcome: [], warnings: [] }

/** What becomes of a pod that is about to be made. */
export function admit(
  pod: Pod,
  { injection, trusted, drawSecret }: AdmissionDependencies,
): Admission {
  if (!isLabelled(pod)) return untouched
  if (isInjected(pod)) return { outcome: injectAgain(pod, injection), warnings: [] }
  const wanted = wantedOf(pod, injection)
  if (wanted instanceof InjectionRefusal) return { outcome: wanted, warnings: [] }
  const trust = trusted()
  if (!trust) {
    const message =
      'the webhook does not know at the moment which certificate authority pods are to trust, for it cannot read its Secret; its log says why, and another try may help'
    return { outcome: new InjectionRefusal(message, 503), warnings: [] }
  }
  const outcome = inject(pod, wanted, injection, { ...trust, guardSecret: drawSecret() })
  if (outcome instanceof InjectionRefusal) return { outcome, warnings: [] }
  return { outcome, warnings: warningsOf(pod, wanted, injection) }
}
