import type { Heard } from './callers.ts'
import type { Sees, Step } from './case.ts'
import type { Observed } from './run_case.ts'

/** Requests that one caller without a token can cause in 8 s: pauses from 250 ms, doubled up to 2 s, each at least its half. */
const ATTEMPTS = 11
/**
 * For two tokens, one of the callers and one of the broker's start, each refreshed ahead of time: pauses up to 1 s, 2 s,
 * 4 s ... of which a dozen within a case's seconds is less likely than one in a million.
 */
const REFRESHES = 24

/** In what the case was seen to do otherwise than it says. */
export function expectationsMissed(observed: Observed): readonly string[] {
  const { case: given, heard } = observed
  const { steps } = given
  return [
    ...steps.flatMap((step, index) => missedIn(step, index, heard)),
    ...spanningMissed(steps, heard),
    ...boundMissed(observed),
    ...(given.told !== undefined && !observed.told.has(given.told)
      ? [`the log tells ${[...observed.told].join(', ') || 'nothing'} instead of ${given.told}`]
      : []),
    ...(given.stale !== undefined && given.stale !== observed.servedStale > 0
      ? [`${String(observed.servedStale)} tokens were served stale`]
      : []),
    ...(given.renewed === true && !observed.isRenewed
      ? ['the token that was held was not replaced afterwards']
      : []),
  ]
}

/** What was answered in one step, to whoever asked in it, and to whoever had asked before. */
export interface AnsweredIn {
  readonly requests: readonly Heard[]
  readonly within: ReadonlySet<string>
  readonly ended: ReadonlySet<string>
}

export function answeredIn(index: number, by: Heard['by'], heard: readonly Heard[]): AnsweredIn {
  const all = heard.filter((one) => one.by === by && one.ended === index)
  const requests = all.filter(({ began }) => began === index)
  const outcomes = (of: readonly Heard[]) => new Set(of.map(({ outcome }) => outcome))
  return { requests, within: outcomes(requests), ended: outcomes(all) }
}

function missedIn(step: Step, index: number, heard: readonly Heard[]): readonly string[] {
  const holders = answeredIn(index, 'holder', heard)
  const newcomers = answeredIn(index, 'newcomer', heard)
  const others = newcomers.requests.filter(
    ({ outcome, retryAfter }) => outcome !== '200' && !isRetryAfter(retryAfter, step),
  )
  return [
    ...missed(step.holders, holders, `step ${String(index)}, callers with a token`),
    ...(step.newcomers
      ? missed(step.newcomers, newcomers, `step ${String(index)}, callers without`)
      : []),
    ...(step.retryAfter !== undefined && others.length > 0
      ? [`step ${String(index)}: Retry-After ${String(others[0]?.retryAfter)}`]
      : []),
  ]
}

function missed(sees: Sees, { requests, within, ended }: AnsweredIn, where: string) {
  const problem = [`${where}: ${countsOf(requests)}`]
  if (!('to' in sees)) {
    return within.symmetricDifference(new Set(sees)).size === 0 ? [] : problem
  }
  const { from, to } = sees
  if (!ended.has(to) || !within.isSubsetOf(new Set([...from, to]))) return problem
  const turned = Math.min(
    ...requests.filter(({ outcome }) => outcome === to).map(({ endedAt }) => endedAt),
  )
  const late = requests.filter(({ beganAt, outcome }) => beganAt > turned && outcome !== to)
  return late.length === 0 ? [] : [`${where}: after the first ${to} came ${countsOf(late)}`]
}

/** Whoever asked in one step and was answered in a later one may have got what any of them gives. */
function spanningMissed(steps: readonly Step[], heard: readonly Heard[]): readonly string[] {
  const problems = new Set<string>()
  for (const { by, began, ended, outcome } of heard) {
    if (began === ended && Number.isInteger(began)) continue
    const allowed = new Set<string>(['200'])
    for (let index = Math.floor(began); index <= Math.ceil(ended); index += 1) {
      const step = steps[index]
      for (const one of step ? possible(step[by === 'holder' ? 'holders' : 'newcomers']) : []) {
        allowed.add(one)
      }
    }
    if (!allowed.has(outcome)) {
      problems.add(`between steps ${String(began)} and ${String(ended)}: ${by} got ${outcome}`)
    }
  }
  return [...problems]
}

function possible(sees: Sees | undefined): readonly string[] {
  if (!sees) return []
  return 'to' in sees ? [...sees.from, sees.to] : sees
}

/** How many requests to the authority the case may cost, and how many it did. */
export function boundOf({ case: given, heard }: Observed): number {
  const { attempts = ATTEMPTS, refreshes = REFRESHES, steps, endsAt = steps.length } = given
  const asked = heard.filter(({ by, began }) => by === 'newcomer' && began < endsAt).length
  return asked * attempts + refreshes
}

function boundMissed(observed: Observed): readonly string[] {
  const bound = boundOf(observed)
  return observed.calls <= bound
    ? []
    : [`${String(observed.calls)} requests to the authority, more than ${String(bound)}`]
}

/** `12 × 200, 2 × 503 authority_unavailable`. */
export function countsOf(heard: readonly Pick<Heard, 'outcome'>[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of heard) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const parts = [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([outcome, count]) => `${String(count)} × ${outcome}`)
  return parts.join(', ') || 'none'
}

/** As the authority asked, less what has passed of it since. */
function isRetryAfter(
  retryAfter: number | undefined,
  { retryAfter: asked, lasts }: Pick<Step, 'retryAfter' | 'lasts'>,
): boolean {
  if (retryAfter === undefined || asked === undefined) return retryAfter === asked
  return retryAfter <= asked && retryAfter >= Math.max(asked - Math.ceil(lasts) - 1, 1)
}
