import type { Fault } from '../config/document.ts'
import { intersects } from '../platform/pattern.ts'
import type { Agent } from './policy.ts'
import type { Attribute, ProofRule } from './rule.ts'

/** More than these are not read by anybody. */
const MAX_REPORTED = 100

/**
 * Pairs of agents of which one proof can be both. Such a proof has to name one of them, so the pair is no mistake in itself;
 * one that was not meant is found here and not in an incident.
 */
export function overlapsOf(agents: readonly Agent[]): readonly Fault[] {
  const found: Fault[] = []
  for (const [agent, other] of neighbours(agents)) {
    if (!overlap(agent.rule, other.rule)) continue
    found.push({
      path: `agent ${agent.name}`,
      message: `a proof can be agent ${other.name} as well, and then has to name one by client_id`,
    })
    if (found.length >= MAX_REPORTED) break
  }
  return found
}

/**
 * Pairs that may overlap: of rules that are fixed to one workload only those that share it, so that ten thousand are not
 * compared with each other.
 */
function* neighbours(agents: readonly Agent[]): Generator<readonly [Agent, Agent]> {
  const fixed = new Map<string, Agent[]>()
  const starred: Agent[] = []
  for (const agent of agents) {
    const key = wholeKey(agent.rule)
    if (key === undefined) {
      starred.push(agent)
      continue
    }
    const sharing = fixed.get(key) ?? []
    for (const other of sharing) yield [agent, other]
    fixed.set(key, [...sharing, agent])
  }
  for (const [index, agent] of starred.entries()) {
    for (const others of fixed.values()) for (const other of others) yield [agent, other]
    for (const other of starred.slice(0, index)) yield [agent, other]
  }
}

/** What says all of who a workload is, by kind. */
const whole: readonly (readonly Attribute[])[] = [
  ['namespace', 'serviceAccount'],
  ['arn'],
  ['tid', 'oid'],
  ['sub'],
]

/** The one workload that a rule means, as a text; undefined where a star leaves it open. */
function wholeKey({ provider, conditions }: ProofRule): string | undefined {
  const texts = whole.map((group) =>
    group.map((name) => conditions.find(({ attribute }) => attribute === name)?.pattern.literal),
  )
  const index = texts.findIndex((values) => !values.includes(undefined))
  return index === -1 ? undefined : JSON.stringify([provider, index, texts[index]])
}

/** Whether some proof meets the conditions of both. */
function overlap(one: ProofRule, two: ProofRule): boolean {
  if (one.provider !== two.provider) return false
  return one.conditions.every(({ attribute, pattern }) => {
    const other = two.conditions.find((condition) => condition.attribute === attribute)
    return !other || intersects(pattern, other.pattern)
  })
}
