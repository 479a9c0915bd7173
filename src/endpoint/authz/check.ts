import { OAuthError } from '../../oauth/errors.ts'
import type { HeldPermission, PermissionEngine } from '../../policy/permissions/engine.ts'
import type { RawRequest } from '../request.ts'
import { isOwn, type Tenant } from '../tenant.ts'
import { askedAbout, type Asked, type Asker } from './asked.ts'
import { readQuestion, type Question } from './question.ts'

/** The calls of LumoAuth's `authz` family that ask of permissions by name. */
export const checks = ['check', 'check-bulk', 'check-any', 'check-all'] as const
export type Check = (typeof checks)[number]

/** Answers a check. That something is not allowed is an answer, not a refusal. */
export async function check(
  which: Check,
  raw: RawRequest,
  asker: Asker,
  tenant: Tenant,
): Promise<object | OAuthError> {
  const question = readQuestion(raw, which === 'check')
  if (question instanceof OAuthError) return question
  const asked = await askedAbout(asker, question.userId, tenant)
  if (asked instanceof OAuthError) return asked
  return answerTo(which, question, asked, await decide(tenant.permissions, asked, question))
}

async function decide(
  engine: PermissionEngine,
  { subjects }: Asked,
  { permissions, context = {} }: Question,
): Promise<readonly boolean[]> {
  if (subjects === 'nobody') return permissions.map(() => false)
  const decisions = await Promise.all(
    subjects.map((subject) => engine.check(subject, permissions, context)),
  )
  return permissions.map((_, index) => decisions.every((decision) => decision[index] === true))
}

function answerTo(
  which: Check,
  { permissions, context }: Question,
  { userId }: Asked,
  allowed: readonly boolean[],
): object {
  const rest = { ...(userId !== undefined && { user_id: userId }), ...(context && { context }) }
  switch (which) {
    case 'check':
      return { allowed: allowed[0] === true, permission: permissions[0], ...rest }
    case 'check-bulk': {
      const results = permissions.map((permission, index) => [permission, allowed[index] === true])
      return { results: Object.fromEntries(results) as object, ...rest }
    }
    case 'check-any':
      return { allowed: allowed.includes(true), permissions, ...rest }
    case 'check-all':
      return { allowed: !allowed.includes(false), permissions, ...rest }
  }
}

/**
 * All that whoever asks may do. Of a token only for its own holder: an API that was shown a token for itself may ask whether
 * something is allowed, and learns no more.
 */
export async function permissionsOf(
  raw: RawRequest,
  asker: Asker,
  tenant: Tenant,
): Promise<object | OAuthError> {
  if (raw.query !== '') return new OAuthError('query_refused')
  if (!isOfHolder(asker, tenant)) {
    return new OAuthError('bearer_invalid', { reason: 'token_audience' })
  }
  const asked = await askedAbout(asker, undefined, tenant)
  if (asked instanceof OAuthError) return asked
  const permissions = await heldByAll(tenant.permissions, asked.subjects)
  return {
    ...(asked.userId !== undefined && { user_id: asked.userId }),
    permissions: permissions.map(({ slug, description = '', source }) => ({
      slug,
      description,
      source,
    })),
    count: permissions.length,
  }
}

function isOfHolder({ clientId, audiences }: Asker, { issuer }: Tenant): boolean {
  return isOwn({ id: clientId }, issuer, audiences)
}

async function heldByAll(
  engine: PermissionEngine,
  subjects: Asked['subjects'],
): Promise<readonly HeldPermission[]> {
  if (subjects === 'nobody') return []
  const [first, ...others] = subjects
  if (!first) return []
  let held = await engine.permissionsOf(first)
  for (const other of others) {
    const theirs = new Set((await engine.permissionsOf(other)).map(({ slug }) => slug))
    held = held.filter(({ slug }) => theirs.has(slug))
  }
  return held
}
