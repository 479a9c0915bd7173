import { readAsk } from '../authorize/request.ts'
import type { Forms } from '../browser/answers.ts'
import type { Tenant } from '../tenant.ts'

/**
 * Where somebody goes on once they have shown who they are. Only places of ours, by a name of ours: an address that a form
 * carried could lead anywhere (open redirect).
 */
export type Next =
  | { readonly to: 'account' }
  /** `query`: of the authorization endpoint. */
  | { readonly to: 'authorize'; readonly query: string }

/** A place, and what its sign-in page says and lets through. */
export interface Purpose {
  readonly next: Next
  /** Who sent the person; undefined: they came themselves. */
  readonly client: string | undefined
  readonly loginHint: string | undefined
  /** Where the way leads in the end. */
  readonly forms: Forms
  /** Hash of the pushed request that wants it. */
  readonly request: Uint8Array | undefined
}

const AUTHORIZE = 'authorize?'

export function parseNext(text: string | undefined): Next | undefined {
  if (text === 'account') return { to: 'account' }
  if (text?.startsWith(AUTHORIZE) !== true) return undefined
  return { to: 'authorize', query: text.slice(AUTHORIZE.length) }
}

export function textOfNext(next: Next): string {
  return next.to === 'account' ? 'account' : AUTHORIZE + next.query
}

/** Written anew, for what a form carried may hold what no header can. */
export function addressOfNext(base: string, next: Next): string {
  if (next.to === 'account') return `${base}/account`
  return `${base}/oauth/authorize?${new URLSearchParams(next.query).toString()}`
}

/** The same place after somebody signed in: asking for that once more would go on for ever. */
export function afterSignIn(next: Next): Next {
  if (next.to === 'account') return next
  const parameters = new URLSearchParams(next.query)
  const words = (parameters.get('prompt') ?? '')
    .split(' ')
    .filter((word) => !['', 'login', 'select_account'].includes(word))
  parameters.delete('prompt')
  if (words.length > 0) parameters.set('prompt', words.join(' '))
  // They have shown it this very moment.
  parameters.delete('max_age')
  return { to: 'authorize', query: parameters.toString() }
}

/** Undefined: nobody can go on there, and the place itself says why. */
export async function purposeOf(next: Next, tenant: Tenant): Promise<Purpose | undefined> {
  if (next.to === 'account') {
    return { next, client: undefined, loginHint: undefined, forms: 'own', request: undefined }
  }
  const read = await readAsk(next.query, tenant)
  if (read.kind !== 'ask') return undefined
  const { client, loginHint, pushed } = read.ask
  return { next, client: shownOf(client), loginHint, forms: 'elsewhere', request: pushed?.hash }
}

/** What people are told that a client is. */
export function shownOf({ id, name }: { readonly id: string; readonly name?: string }): string {
  return name ?? id
}
