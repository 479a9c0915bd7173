import type { BrowserRequest } from '../browser/request.ts'
import type { Tenant } from '../tenant.ts'

/** Somebody who is signed in, and still let in. */
export interface Present {
  readonly sub: string
  /** What people know them by. */
  readonly shown: string
  /** When they showed who they are, in Unix seconds. */
  readonly authTime: number
  /** Hash of the pushed request for which they did, if it was for one. */
  readonly request: Uint8Array | undefined
}

/** Who is signed in in this browser. */
export async function presentAt(
  { cookies }: Pick<BrowserRequest, 'cookies'>,
  { sessions, users }: Tenant,
): Promise<Present | undefined> {
  const session = await sessions.find(sessions.valueIn(cookies))
  const user = session && (await users.active(session.user))
  if (!session || !user) return undefined
  const { authTime, request } = session
  return { sub: user.sub, shown: user.email ?? user.sub, authTime, request }
}
