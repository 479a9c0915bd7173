import { hash } from 'node:crypto'

declare const keyed: unique symbol

/** Names one subject that a workload acts for. Made by `subjectKey` only. */
export type SubjectKey = string & { readonly [keyed]: true }

/** 96 bits in base64url: nobody finds two subjects that count as one, and a long `sub` takes no more room than a short one. */
const HASH_LENGTH = 16

/** By issuer and `sub`, and never by the token: another token of the same user is no other subject. */
export function subjectKey({
  iss,
  sub,
}: {
  readonly iss: string
  readonly sub: string | undefined
}): SubjectKey {
  const text = JSON.stringify([iss, sub ?? null])
  return hash('sha256', text, 'base64url').slice(0, HASH_LENGTH) as SubjectKey
}
