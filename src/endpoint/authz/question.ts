import { OAuthError } from '../../oauth/errors.ts'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../../platform/strict_json.ts'

const MAX_PERMISSIONS = 100
const MAX_PERMISSION_LENGTH = 256

declare const read: unique symbol

/** What is asked of the permissions, read once and whole. */
export interface Question {
  readonly [read]: true
  /** At least one. */
  readonly permissions: readonly string[]
  /** Sent back as it came; an engine may decide by it. */
  readonly context: Readonly<Record<string, unknown>> | undefined
  /** Absent: whoever the token is of. */
  readonly userId: string | undefined
}

/**
 * Reads a question of LumoAuth's `authz` calls. `one`: with `permission`, else with `permissions`. An empty body counts as
 * `{}`: an SDK sends that with the type of JSON.
 */
export function readQuestion(
  { contentType, body, query }: { contentType: string | undefined; body: Buffer; query: string },
  one: boolean,
): Question | OAuthError {
  if (query !== '') return new OAuthError('query_refused')
  if (bodyFormOf(contentType) !== 'json') return new OAuthError('media_type')
  const members = membersOf(body)
  if (!members) return new OAuthError('body_malformed')
  const permissions = one ? [members['permission']] : members['permissions']
  if (!arePermissions(permissions)) {
    return new OAuthError(one ? 'permission_missing' : 'permissions_invalid')
  }
  const { context, user_id: userId } = members
  if (context !== undefined && !isJsonObject(context)) return malformed('context')
  if (!isUserId(userId)) return malformed('user_id')
  return {
    permissions,
    context,
    userId: userId === undefined ? undefined : String(userId),
  } as Question
}

function membersOf(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    const value = text.trim() === '' ? {} : parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonFault || error instanceof TypeError) return undefined
    throw error
  }
}

function arePermissions(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_PERMISSIONS &&
    value.every(
      (each) => typeof each === 'string' && each !== '' && each.length <= MAX_PERMISSION_LENGTH,
    )
  )
}

function isUserId(value: unknown): value is string | number | undefined {
  if (value === undefined || Number.isSafeInteger(value)) return true
  return typeof value === 'string' && value !== '' && value.length <= 255
}

function malformed(name: string): OAuthError {
  return new OAuthError('parameter_malformed', { detail: `${name} has another form` })
}
