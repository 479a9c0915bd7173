export const PREFIX = 'lumoauth.dev/'
export const LABEL = `${PREFIX}inject`
/** Written by the webhook itself. */
export const INJECTED = `${PREFIX}injected`
export const TRUSTED_CA = `${PREFIX}ca`
/** In mode node: the content of a file of the pod, for a ConfigMap of ours would lie in another namespace. */
export const CA_BUNDLE = `${PREFIX}ca-bundle`

const names = [
  'agent',
  'audience',
  'scopes',
  'containers',
  'socket',
  'mode',
  'start',
  'port',
  'operations-port',
  'cpu-request',
  'cpu-limit',
  'memory-request',
  'memory-limit',
  'log-level',
  'proxy-routes',
  'authorization-routes',
] as const
export type AnnotationName = (typeof names)[number]

/** The ones that say something of a sidecar, and nothing of a pod without. */
export const ofSidecar: readonly AnnotationName[] = names.filter(
  (name) => name !== 'mode' && name !== 'containers',
)

/** Of the annotations that begin as ours do, the first that there is not. */
export function unknownAmong(annotations: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(annotations).find((key) => key.startsWith(PREFIX) && !isKnown(key))
}

/** An annotation of ours among labels, where it would say nothing: what its author wants narrowed would stay as it is. */
export function annotationAmong(labels: Readonly<Record<string, string>>): string | undefined {
  const found = names.find((name) => Object.hasOwn(labels, PREFIX + name))
  return found && PREFIX + found
}

function isKnown(key: string): boolean {
  return (
    key === LABEL ||
    key === INJECTED ||
    key === TRUSTED_CA ||
    key === CA_BUNDLE ||
    names.some((name) => key === PREFIX + name)
  )
}

/** Only what a key of an annotation may hold goes into a sentence that others read. */
export function shownKey(key: string): string {
  return /^[A-Za-z0-9._/-]{1,128}$/.test(key) ? key : `${PREFIX}…`
}

/** More changes than these make another word. */
const MAX_DISTANCE = 3

/** What an unknown key was most likely meant to be; of one that is far from all, what there is. */
export function guess(key: string): string {
  const given = key.slice(PREFIX.length).toLowerCase()
  const ranked = names
    .map((name) => ({ name, far: distance(given, name) }))
    .toSorted((one, two) => one.far - two.far)
  const [nearest] = ranked
  return nearest && nearest.far <= MAX_DISTANCE
    ? `did you mean ${PREFIX}${nearest.name}?`
    : `there are ${names.join(', ')}`
}

/** Levenshtein's. The given one is cut: it is as long as whoever wrote it pleased. */
function distance(given: string, known: string): number {
  let row = Array.from({ length: known.length + 1 }, (_, index) => index)
  for (const [index, letter] of given.slice(0, 64).split('').entries()) {
    const before = row
    row = [index + 1]
    for (let at = 1; at <= known.length; at += 1) {
      const swap = (before[at - 1] ?? 0) + (known[at - 1] === letter ? 0 : 1)
      row.push(Math.min(swap, (before[at] ?? 0) + 1, (row[at - 1] ?? 0) + 1))
    }
  }
  return row.at(-1) ?? 0
}
