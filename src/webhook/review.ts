import { isJsonObject } from '../platform/strict_json.ts'
import { InjectionRefusal } from './refusal.ts'
import type { Pod, ReadPod } from './pod.ts'

/** An AdmissionReview of admission.k8s.io/v1 that asks about a pod which is about to be made. Made by `readReview` only. */
export interface Review {
  readonly uid: string
  /** Of the request: a pod that is about to be made often names none itself. */
  readonly namespace: string
  readonly pod: Pod
}

/** It is no review that could be answered: HTTP 400. */
export class ReviewFault {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

const MAX_UID_LENGTH = 128

/** Reads a parsed body. A refusal stands beside the `uid` that it is for. */
export function readReview(
  body: unknown,
  readPod: ReadPod,
): Review | ReviewFault | { readonly uid: string; readonly refusal: InjectionRefusal } {
  if (!isJsonObject(body)) return new ReviewFault('The body is no AdmissionReview.')
  const { apiVersion, kind, request } = body
  if (kind !== 'AdmissionReview') return new ReviewFault('The body is no AdmissionReview.')
  if (apiVersion !== 'admission.k8s.io/v1') {
    return new ReviewFault('Only the version admission.k8s.io/v1 of AdmissionReview is understood.')
  }
  if (!isJsonObject(request)) return new ReviewFault('The AdmissionReview has no request.')
  const { uid } = request
  if (typeof uid !== 'string' || uid === '' || uid.length > MAX_UID_LENGTH) {
    return new ReviewFault('The request of the AdmissionReview has no uid.')
  }
  const refuse = (message: string) => ({ uid, refusal: new InjectionRefusal(message, 400) })
  if (!isAboutNewPod(request)) {
    return refuse('it is asked about pods that are created, and about nothing else')
  }
  const { object, namespace } = request
  const pod = readPod(object)
  if (!pod) return refuse('this is no pod that can be read')
  return { uid, namespace: typeof namespace === 'string' ? namespace : '', pod }
}

/** A `pods/binding` is created as well, and is no pod. */
function isAboutNewPod({
  operation,
  resource,
  subResource = '',
}: Readonly<Record<string, unknown>>): boolean {
  return (
    isJsonObject(resource) &&
    resource['group'] === '' &&
    resource['version'] === 'v1' &&
    resource['resource'] === 'pods' &&
    subResource === '' &&
    operation === 'CREATE'
  )
}
