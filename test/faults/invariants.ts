import type { Heard, SeenToken, Times } from './callers.ts'
import type { Observed } from './run_case.ts'
import type { World } from './world.ts'

/**
 * Tokens end in whole seconds, and what is left of them is said in whole seconds: of the last one nobody can be sure. So
 * much later than its `exp` a token may be served, for it counts from when it was asked for.
 */
const LAST_SECOND_MS = 1_000

/** What holds in every case, whatever fails. */
export async function brokenInvariants(
  observed: Observed,
  world: World,
): Promise<readonly string[]> {
  return [
    ...failedWhileHolding(observed.heard),
    ...servedAfterRefusal(observed),
    ...servedExpired(observed.heard),
    ...(await leaks(observed.heard, world)),
  ]
}

/** No caller fails that has a token which is good by every clock. A refusal ends what was had. */
function failedWhileHolding(heard: readonly Heard[]): readonly string[] {
  const held = new Map<string, Heard>()
  const problems: string[] = []
  for (const one of heard) {
    for (const [key, last] of held) if (!isGoodAt(last, one.times.began)) held.delete(key)
    const last = held.get(one.key)
    const isHeld = last && last.endedAt < one.beganAt && isGoodAt(last, one.times.ended)
    if (one.outcome === '200') held.set(one.key, one)
    else if (one.outcome.startsWith('403 ')) held.delete(one.key)
    else if (isHeld) problems.push(`a caller with a good token got ${one.outcome}`)
  }
  return [...new Set(problems)]
}

function isGoodAt({ token, times }: Heard, at: Times): boolean {
  if (!token) return false
  const ms = token.expiresIn * 1000 - LAST_SECOND_MS
  return (
    at.wall < times.ended.wall + ms &&
    at.monotonic < times.ended.monotonic + ms &&
    at.right < token.expiresAt
  )
}

/** Once the authority has refused a token, it is not served any more, until the agent is enabled again. */
function servedAfterRefusal({ case: given, heard }: Observed): readonly string[] {
  const enabling = given.steps.findIndex(({ change }) => change.agent === 'enabled')
  const refusedAt = new Map<string, number>()
  for (const { key, outcome, endedAt } of heard) {
    if (outcome === '403 authority_refused' && !refusedAt.has(key)) refusedAt.set(key, endedAt)
  }
  const served = heard.some(
    ({ key, outcome, beganAt, ended }) =>
      outcome === '200' &&
      beganAt > (refusedAt.get(key) ?? Infinity) &&
      (enabling === -1 || ended < enabling - 0.5),
  )
  return served ? ['a token was served after the authority had refused it'] : []
}

/** No token is served after its `exp` and the second of its rounding, and its `expires_in` shrinks by both clocks of the broker. */
function servedExpired(heard: readonly Heard[]): readonly string[] {
  const first = new Map<string, { readonly token: SeenToken; readonly at: Times }>()
  const problems = new Set<string>()
  for (const { token, times } of heard) {
    if (!token) continue
    const late = times.began.right - token.expiresAt
    if (late >= LAST_SECOND_MS)
      problems.add(`a token was served ${String(Math.round(late))} ms after its end`)
    const before = first.get(token.text)
    if (!before) {
      first.set(token.text, { token, at: times.ended })
      continue
    }
    for (const clock of ['wall', 'monotonic'] as const) {
      const passed = Math.min(times.began[clock], times.ended[clock]) - before.at[clock]
      // Whole seconds: up to one is lost in each answer.
      const most = before.token.expiresIn + 1 - passed / 1000
      // In its last second a token is said to have one.
      if (token.expiresIn > Math.max(most, 1))
        problems.add(`expires_in did not follow the ${clock} clock`)
    }
  }
  return [...problems]
}

/** No token, and no proof, stands where operators read. */
async function leaks(heard: readonly Heard[], world: World): Promise<readonly string[]> {
  const told = world.log.text() + (await world.metrics()) + (await world.authority.told())
  const secrets = new Set([
    ...heard.flatMap(({ token }) => (token ? [token.text] : [])),
    ...world.cluster.proofs,
  ])
  const parts = [...secrets].flatMap((secret) => secret.split('.').slice(1))
  return parts.some((part) => told.includes(part)) ? ['a token stands in a log or a metric'] : []
}
