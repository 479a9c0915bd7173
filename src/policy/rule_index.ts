import type { WorkloadIdentity } from '../verifier/identity.ts'
import { attributeOf, meets, type Attribute, type Condition, type ProofRule } from './rule.ts'

interface Ruled {
  readonly rule: ProofRule
}

/** A part of an attribute that every workload of a rule has in common. */
interface Anchor {
  readonly attribute: Attribute
  readonly side: 'whole' | 'start' | 'end'
  readonly text: string
}

/** Where to look in a workload for anchors of one kind; `length` in characters, of a start or an end. */
type Place = Omit<Anchor, 'text'> & { readonly length: number }

/** Rules with anchors in the same places, by the text of these anchors. */
interface Shelf<T> {
  /** Tells places apart. */
  readonly name: string
  readonly places: readonly Place[]
  readonly byText: Map<string, T[]>
}

/** The rules of one provider. */
interface Shelves<T> {
  readonly shelves: Shelf<T>[]
  /** Rules of nothing but stars, or with stars all around. They are tried each time. */
  readonly rest: T[]
}

/** So few rules are tried at less cost than one more place is looked at. */
const FEW = 8

/**
 * Finds the rules that a proof fits. Each rule is filed under a text that its workloads have in common: what it fixes, or
 * the start or the end of what has a star, whichever it shares with few other rules. So a look-up tries a handful of rules
 * and costs the same however many there are, even where thousands have the same account in namespaces of their own. What is
 * found is tried in full; the text under which it lay decides nothing.
 */
export class RuleIndex<T extends Ruled> {
  readonly #providers = new Map<string, Shelves<T>>()

  constructor(entries: readonly T[]) {
    const shared = new Map<string, number>()
    const candidates = entries.map((entry) => ({ entry, choices: choicesOf(entry.rule) }))
    for (const { choices } of candidates) {
      for (const { name } of choices) shared.set(name, (shared.get(name) ?? 0) + 1)
    }
    for (const { entry, choices } of candidates) this.#file(entry, leastShared(choices, shared))
  }

  /** Every entry whose rule the proof fits. */
  fitting(identity: WorkloadIdentity): readonly T[] {
    const found: T[] = []
    const own = this.#providers.get(identity.provider)
    if (!own) return found
    for (const { places, byText } of own.shelves) {
      const text = textAt(identity, places)
      const sharing = text === undefined ? undefined : byText.get(text)
      if (sharing) pushMet(found, sharing, identity)
    }
    pushMet(found, own.rest, identity)
    return found
  }

  #file(entry: T, choice: Choice | undefined): void {
    const { provider } = entry.rule
    const own = this.#providers.get(provider) ?? { shelves: [], rest: [] }
    this.#providers.set(provider, own)
    if (choice) shelve(own.shelves, choice, entry)
    else own.rest.push(entry)
  }
}

function shelve<T>(shelves: Shelf<T>[], { shelf: name, places, text }: Choice, entry: T): void {
  let shelf = shelves.find((one) => one.name === name)
  if (!shelf) {
    shelf = { name, places, byText: new Map() }
    shelves.push(shelf)
  }
  const sharing = shelf.byText.get(text)
  if (sharing) sharing.push(entry)
  else shelf.byText.set(text, [entry])
}

/** One way to file a rule. */
interface Choice {
  readonly places: readonly Place[]
  readonly text: string
  /** The name of the shelf. */
  readonly shelf: string
  /** Tells all choices apart, those of several providers as well. */
  readonly name: string
}

/** The ways to file a rule, the best first: by one text that it fixes, by all of them, by what stands before or behind a star. */
function choicesOf({ provider, conditions }: ProofRule): readonly Choice[] {
  const anchors = conditions.flatMap(anchorsOf)
  const whole = anchors.filter(({ side }) => side === 'whole')
  const parts = anchors.filter(({ side }) => side !== 'whole')
  return [
    ...whole.map((anchor) => [anchor]),
    ...(whole.length > 1 ? [whole] : []),
    ...parts.map((anchor) => [anchor]),
  ].map((together) => {
    const places = together.map(placeOf)
    const shelf = places.map(
      ({ attribute, side, length }) => `${attribute} ${side} ${String(length)}`,
    )
    const text = together.map((anchor) => anchor.text).reduce(joined)
    return { places, text, shelf: shelf.join(), name: `${provider} ${shelf.join()} ${text}` }
  })
}

function anchorsOf({ attribute, pattern }: Condition): readonly Anchor[] {
  const { source, literal } = pattern
  if (literal !== undefined) return [{ attribute, side: 'whole', text: literal }]
  const anchors: readonly Anchor[] = [
    { attribute, side: 'start', text: source.slice(0, source.indexOf('*')) },
    { attribute, side: 'end', text: source.slice(source.lastIndexOf('*') + 1) },
  ]
  return anchors.filter(({ text }) => text !== '')
}

function placeOf({ attribute, side, text }: Anchor): Place {
  return { attribute, side, length: side === 'whole' ? 0 : text.length }
}

function leastShared(
  choices: readonly Choice[],
  shared: ReadonlyMap<string, number>,
): Choice | undefined {
  const sharers = ({ name }: Choice): number => shared.get(name) ?? 0
  return (
    choices.find((choice) => sharers(choice) <= FEW) ??
    choices.toSorted((one, two) => sharers(one) - sharers(two))[0]
  )
}

/** What a workload has in these places; undefined where it lacks one of them. */
function textAt(identity: WorkloadIdentity, places: readonly Place[]): string | undefined {
  let all: string | undefined
  for (const { attribute, side, length } of places) {
    const value = attributeOf(identity, attribute)
    if (value === undefined || value.length < length) return undefined
    const text =
      side === 'whole' ? value : side === 'start' ? value.slice(0, length) : value.slice(-length)
    all = all === undefined ? text : joined(all, text)
  }
  return all
}

/** Two pairs that become the same text cost a try, no more. */
function joined(one: string, two: string): string {
  return `${one} ${two}`
}

function pushMet<T extends Ruled>(
  found: T[],
  entries: readonly T[],
  identity: WorkloadIdentity,
): void {
  for (const entry of entries) if (meets(entry.rule, identity)) found.push(entry)
}
