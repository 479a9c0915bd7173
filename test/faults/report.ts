import type { Heard } from './callers.ts'
import type { FaultCase } from './case.ts'
import { boundOf, countsOf } from './expectations.ts'
import type { Observed, Report } from './run_case.ts'

export const HEADINGS = [
  'case',
  'callers with a token',
  'callers without',
  'requests to the authority',
  'time to recover',
] as const

/** What a case is called in the table; no two have the same. */
export function titleOf({ name, shape }: FaultCase): string {
  return shape === 'node' ? `${name} (node)` : name
}

/** The row of a case: what callers saw from the beginning of the fault to its end. */
export function rowOf(observed: Observed): string {
  const { case: given, heard, calls, servedStale } = observed
  const { steps, endsAt = steps.length } = given
  const during = heard.filter(({ began, ended }) => ended > -1 && began < endsAt)
  const of = (by: Heard['by']) => seenBy(during.filter((one) => one.by === by))
  const stale = servedStale > 0 ? `, ${String(servedStale)} of a token that was due` : ''
  const cells = [
    titleOf(given),
    of('holder') + stale,
    of('newcomer'),
    `${String(calls)} of at most ${String(boundOf(observed))}`,
    recovery(observed),
  ]
  return `| ${cells.join(' | ')} |`
}

export function tableOf(reports: readonly Report[]): string {
  return [
    `| ${HEADINGS.join(' | ')} |`,
    `|${' --- |'.repeat(HEADINGS.length)}`,
    ...reports.map(({ observed }) => rowOf(observed)),
  ].join('\n')
}

function seenBy(heard: readonly Heard[]): string {
  if (heard.length === 0) return 'none asked'
  const worst = Math.max(...heard.map(({ beganAt, endedAt }) => endedAt - beganAt))
  return `${countsOf(heard)}; worst ${duration(worst)}`
}

/** Until the first token came that was not there before the fault ended. */
function recovery({ case: given, heard, stepsAt }: Observed): string {
  const { endsAt } = given
  const at = endsAt === undefined ? undefined : stepsAt[endsAt]
  if (at === undefined) return 'it does not end'
  const by = heard.some((one) => one.by === 'newcomer') ? 'newcomer' : 'holder'
  const first = heard.find((one) => one.by === by && one.outcome === '200' && one.endedAt > at)
  return first ? duration(first.endedAt - at) : 'not seen'
}

function duration(ms: number): string {
  return ms < 950 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`
}
