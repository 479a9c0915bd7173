/** What is wrong: 400 the question, 403 the pod, 503 neither, so that asking again may help. */
type RefusalCode = 400 | 403 | 503

/** Why a pod is not admitted: one sentence for its author, which the API server shows to whoever made it. */
export class InjectionRefusal {
  readonly message: string
  readonly code: RefusalCode
  constructor(message: string, code: RefusalCode = 403) {
    this.message = message
    this.code = code
  }
}
