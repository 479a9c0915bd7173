import type { Operation } from './patch.ts'
import { InjectionRefusal } from './refusal.ts'

/**
 * The AdmissionReview that answers (admission.k8s.io/v1). The API server shows a refusal and its code to whoever made the
 * pod, and hands warnings on to a person at `kubectl`.
 */
export function answerOf(
  uid: string,
  outcome: readonly Operation[] | InjectionRefusal,
  warnings: readonly string[] = [],
) {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      ...responseOf(outcome),
      ...(warnings.length > 0 && { warnings: warnings.map((text) => `lumo-broker: ${text}`) }),
    },
  }
}

/** metav1.StatusReason. */
const reasons = { 400: 'BadRequest', 403: 'Forbidden', 503: 'ServiceUnavailable' }

function responseOf(outcome: readonly Operation[] | InjectionRefusal) {
  if (outcome instanceof InjectionRefusal) {
    const { code, message } = outcome
    return {
      allowed: false,
      status: { code, reason: reasons[code], message: `lumo-broker: ${message}` },
    }
  }
  if (outcome.length === 0) return { allowed: true }
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(outcome)).toString('base64'),
  }
}
