import { showDuration } from '../platform/duration.ts'
import { printable } from '../platform/printable.ts'
import type { Kind, LocalBroker } from './broker.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'

/**
 * Link 11: does the running broker give the token that is asked for? It alone knows its local policy, its limits and what is
 * left of what it keeps.
 */
export async function tokenLink(
  local: Pick<LocalBroker, 'token'> | undefined,
  { callers }: Pick<Kind, 'callers'>,
): Promise<Finding> {
  if (!local) return skipped('token', 'the configuration does not tell where to ask for it')
  const answer = await local.token()
  if (!('said' in answer)) {
    const { status, what, advice } = answer
    return status === 401 && callers === 'not_shown'
      ? skipped('token', 'a caller is shown to the broker with --proof-file')
      : failed('token', what, advice)
  }
  const { expires_in: left, scope } = answer.said
  const lasting = typeof left === 'number' ? ` for ${showDuration(left)}` : ''
  const reaching = typeof scope === 'string' ? `, scope "${printable(scope, 300)}"` : ''
  return ok('token', `the broker gives one${lasting}${reaching}`)
}
