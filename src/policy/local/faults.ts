import type { Fault } from '../../config/document.ts'
import { fitsScope, isScopeToken } from '../../oauth/scope.ts'
import { isAudience } from '../../oauth/target.ts'
import { pathPatternFault } from '../../platform/pattern.ts'
import { allowedPairOf, makesIdle, speaksOf } from './allowed.ts'
import { MAX_WORKLOADS, type AllowEntry, type WorkloadEntry } from './schema.ts'
import { accountKey, covers, fixedAccount, selectorOf, type Selector } from './selector.ts'

/** An entry and where it stands, such as `local.yaml: workloads[0]`. */
export interface Definition {
  readonly at: string
  readonly entry: WorkloadEntry
}

/** What the schema cannot say of the rules of all files, in their order. */
export function localFaults(definitions: readonly Definition[]): readonly Fault[] {
  if (definitions.length > MAX_WORKLOADS) {
    const message = `all files together must not have more than ${String(MAX_WORKLOADS)} workloads`
    return [{ path: '', message }]
  }
  return [
    ...definitions.flatMap(({ at, entry }) => allowFaults(entry.allow ?? [], `${at}.allow`)),
    ...definitions.flatMap(({ at, entry }) => defaultFaults(entry, `${at}.defaults.audience`)),
    ...definitions.flatMap(({ at, entry }) => delegationFaults(entry, `${at}.delegation`)),
    ...repeatedNames(definitions),
    ...neverReached(definitions),
  ]
}

function repeatedNames(definitions: readonly Definition[]): readonly Fault[] {
  const counts = new Map<string, number>()
  for (const { entry } of definitions) counts.set(entry.name, (counts.get(entry.name) ?? 0) + 1)
  return definitions
    .filter(({ entry }) => (counts.get(entry.name) ?? 0) > 1)
    .map(({ at }) => ({ path: `${at}.name`, message: 'another workload has the same name' }))
}

/**
 * Rules behind one that means all of their workloads. Whoever wrote such a rule believes that it holds, and it may be the
 * stricter one.
 */
function neverReached(definitions: readonly Definition[]): readonly Fault[] {
  const faults: Fault[] = []
  const fixed = new Map<string, string>()
  const open: { readonly selector: Selector; readonly at: string }[] = []
  for (const { at, entry } of definitions) {
    const selector = selectorOf(entry)
    const account = fixedAccount(selector)
    const key = account && accountKey(account)
    // One that means a single account can cover no other than its like, so that thousands of them are not compared.
    const first =
      (key === undefined ? undefined : fixed.get(key)) ??
      open.find((earlier) => covers(earlier.selector, selector))?.at
    if (first !== undefined) {
      faults.push({ path: at, message: `never counts: ${first} fits all of its workloads first` })
    } else if (key === undefined) open.push({ selector, at })
    else fixed.set(key, at)
  }
  return faults
}

function allowFaults(entries: readonly AllowEntry[], path: string): readonly Fault[] {
  return [
    ...entries.flatMap((entry, index) => entryFaults(entry, `${path}[${String(index)}]`)),
    ...idleEntries(entries, path),
  ]
}

function entryFaults({ audience, scopes = [] }: AllowEntry, at: string): readonly Fault[] {
  const faults: Fault[] = []
  const wrong = audience === undefined ? undefined : audienceFault(audience)
  if (wrong !== undefined) faults.push({ path: `${at}.audience`, message: wrong })
  if (!scopes.every(isScopeToken)) {
    faults.push({ path: `${at}.scopes`, message: 'must hold single scope values' })
  } else if (!fitsScope(scopes)) {
    faults.push({ path: `${at}.scopes`, message: 'must fit into 4096 characters' })
  }
  return faults
}

/** A default that is denied would be said to whoever names nothing; one that hides a pair would make it say nothing. */
function defaultFaults(
  { allow, defaults: { audience } = {} }: WorkloadEntry,
  path: string,
): readonly Fault[] {
  if (audience === undefined) return []
  if (!isAudience(audience)) return [{ path, message: 'must be printable ASCII without spaces' }]
  if (!allow) return []
  if (allow.some((entry) => entry.audience === undefined)) {
    const message = 'must be absent beside a pair for requests that name no target'
    return [{ path, message }]
  }
  // What is wrong with a pair is told of the pair.
  const isAllowed = allow.some(
    (entry) =>
      (entry.audience !== undefined && audienceFault(entry.audience) !== undefined) ||
      speaksOf(allowedPairOf(entry), audience),
  )
  return isAllowed ? [] : [{ path, message: 'must be an audience that `allow` allows' }]
}

/** Of a workload that acts for nobody nothing is counted: whoever wrote a limit beside that meant something else. */
function delegationFaults(
  { delegation: { maxDepth, ...counted } = {} }: WorkloadEntry,
  path: string,
): readonly Fault[] {
  if (maxDepth !== 0) return []
  return Object.keys(counted).map((name) => ({
    path: `${path}.${name}`,
    message: 'must be absent where maxDepth is 0: the workload acts for nobody',
  }))
}

function audienceFault(audience: string): string | undefined {
  if (!isAudience(audience)) return 'must be printable ASCII without spaces'
  const wrong = pathPatternFault(audience)
  if (wrong !== undefined) return wrong
  // `https://docs.example*` would take `https://docs.example.attacker.test` as well.
  return /:\/\/[^/]*[^/*]\*+(\/|$)/.test(audience)
    ? 'a * at the end of a host reaches into hosts of others'
    : undefined
}

/**
 * Entries that allow nothing that another does not allow. Pairs add up, so that such an entry looks like a restriction and is
 * none. Of two that say the same the later one is meant.
 */
function idleEntries(entries: readonly AllowEntry[], path: string): readonly Fault[] {
  const pairs = entries.map(allowedPairOf)
  return pairs.flatMap((pair, index) => {
    const other = pairs.findIndex(
      (candidate, at) => makesIdle(candidate, pair) && (at < index || !makesIdle(pair, candidate)),
    )
    if (other === -1) return []
    const message = `restricts nothing: ${path}[${String(other)}] allows all of it already`
    return [{ path: `${path}[${String(index)}]`, message }]
  })
}
