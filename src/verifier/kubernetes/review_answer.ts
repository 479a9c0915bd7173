import type { KubernetesWorkload } from '../identity.ts'

/** Of pkg/authentication/serviceaccount/util.go. */
const POD_UID = 'authentication.kubernetes.io/pod-uid'

/** `status` of a TokenReview (authentication.k8s.io/v1), as far as it matters here. */
export interface ReviewAnswer {
  readonly authenticated: boolean
  /** Those that were asked for and that the token is made for. Empty: the server knows nothing of audiences. */
  readonly audiences: readonly string[]
  readonly username?: string | undefined
  /** Of the service account. */
  readonly uid?: string | undefined
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
  readonly error?: string | undefined
}

/** What the signed claims of the token said of its holder. */
export type ReviewedWorkload = Pick<KubernetesWorkload, 'subject' | 'serviceAccount' | 'pod'>

/** What speaks against a token. The server's own `error` is read for what it means and never passed on: it quotes audiences that were sent. */
export function denialOf(
  answer: ReviewAnswer,
  audience: string,
  { subject, serviceAccount, pod }: ReviewedWorkload,
): string | undefined {
  if (!answer.authenticated) {
    return answer.error?.includes('has been invalidated') === true
      ? 'what the token is bound to, or its service account, is gone'
      : 'the API server does not accept the token'
  }
  // A server that ignores `spec.audiences` has only said that the token is good for the API server itself.
  if (!answer.audiences.includes(audience)) return 'the API server does not confirm the audience'
  if (answer.username !== subject) return 'the API server names another account than sub'
  if (answer.uid !== serviceAccount.uid) {
    return 'the API server names another uid of the service account'
  }
  const [podUid, ...more] = answer.extra?.[POD_UID] ?? []
  if (pod && (podUid !== pod.uid || more.length > 0)) {
    return 'the API server does not name the pod of the token'
  }
  return undefined
}
