/**
 * A text with stars, fully anchored. In a plain pattern `*` stands for any run of characters. In a path pattern (ARNs,
 * subjects of CI systems) it stays between two of the separators `/` and `:`, so that it reaches into no other repository,
 * account or branch folder; `**` at the very end stands for anything that is left.
 */
export interface Pattern {
  readonly source: string
  readonly kind: 'plain' | 'path'
  /** The one text that it matches, where it has no star. */
  readonly literal: string | undefined
  /** A plain pattern is one segment, a path pattern one for each part, its separator first. */
  readonly segments: readonly (readonly string[])[]
  /** A path pattern that ends in `**`. */
  readonly open: boolean
}

/** The parts between separators, each but the first with the separator before it. */
function partsOf(text: string): readonly string[] {
  const parts = text.split(/(?=[/:])/)
  // What begins with a separator has an empty part before it.
  return /^[/:]/.test(text) ? ['', ...parts] : parts
}

/** With more, comparing two patterns takes long, and nobody sees what they mean. */
const MAX_STARS = 8

/** In which `*` stands for any run of characters. */
export function compilePattern(source: string): Pattern {
  const literal = source.includes('*') ? undefined : source
  return { source, kind: 'plain', literal, segments: [source.split('*')], open: false }
}

/** In which `*` stands for any run of characters but `/` and `:`, and a final `**` for any run at all. */
export function compilePathPattern(source: string): Pattern {
  const open = source.endsWith('**')
  const closed = open ? source.slice(0, -2) : source
  return {
    source,
    kind: 'path',
    literal: source.includes('*') ? undefined : source,
    segments: partsOf(closed).map((segment) => segment.split('*')),
    open,
  }
}

/** What is wrong with the stars of a path pattern; undefined where nothing is. */
export function pathPatternFault(source: string): string | undefined {
  if (source.split('*').length > MAX_STARS + 1) return `more than ${String(MAX_STARS)} stars`
  const closed = source.endsWith('**') ? source.slice(0, -2) : source
  if (closed.includes('**')) return '** may stand at the very end only'
  const last = partsOf(closed).at(-1) ?? ''
  return closed !== source && last.includes('*')
    ? 'the part that ends in ** must have no other star'
    : undefined
}

/**
 * True when all of `text` matches. Each piece is looked for once, from the left, at its first place: linear in the text,
 * where a regular expression made of the same stars can be made to backtrack without end.
 */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  const { kind, literal, segments, open } = pattern
  if (literal !== undefined) return text === literal
  if (kind === 'plain') return fills(segments[0] ?? [], text)
  let at = 0
  for (const [index, pieces] of segments.entries()) {
    if (open && index === segments.length - 1) return text.startsWith(pieces[0] ?? '', at)
    if (index > 0 && at === text.length) return false
    const end = endOfPart(text, index === 0 ? at : at + 1)
    if (!fills(pieces, text.slice(at, end))) return false
    at = end
  }
  return at === text.length
}

function endOfPart(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '/' || text[at] === ':') return at
  }
  return text.length
}

/** Whether the pieces, with anything between them, make up the text. */
function fills(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return text === first
  if (text.length < first.length + last.length) return false
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

/** One step of a pattern: a character, or a star. */
type Step = { readonly char: string } | { readonly crosses: boolean }

function stepsOf({ kind, segments, open }: Pattern): readonly Step[] {
  const crosses = kind === 'plain'
  const steps = segments.flatMap((pieces) =>
    pieces.flatMap((piece, index): readonly Step[] => [
      ...(index > 0 ? [{ crosses }] : []),
      ...Array.from(piece, (char) => ({ char })),
    ]),
  )
  return open ? [...steps, { crosses: true }] : steps
}

/** Whether some text matches both. At most as many steps as the product of their lengths. */
export function intersects(one: Pattern, two: Pattern): boolean {
  if (one.literal !== undefined) return matchesPattern(two, one.literal)
  if (two.literal !== undefined) return matchesPattern(one, two.literal)
  const [left, right] = [stepsOf(one), stepsOf(two)]
  const width = right.length + 1
  const seen = new Set<number>()
  const open: (readonly [number, number])[] = [[0, 0]]
  for (let at = open.pop(); at; at = open.pop()) {
    const [i, j] = at
    if (i === left.length && j === right.length) return true
    if (seen.has(i * width + j)) continue
    seen.add(i * width + j)
    open.push(...nextOf(left[i], right[j]).map(([di, dj]) => [i + di, j + dj] as const))
  }
  return false
}

/** How far both can go at once from here: past a star, or over a character that both take. */
function nextOf(a: Step | undefined, b: Step | undefined): readonly (readonly [number, number])[] {
  const next: [number, number][] = []
  if (a && 'crosses' in a) {
    next.push([1, 0])
    if (b && 'char' in b && takes(a, b.char)) next.push([0, 1])
  }
  if (b && 'crosses' in b) {
    next.push([0, 1])
    if (a && 'char' in a && takes(b, a.char)) next.push([1, 0])
  }
  if (a && b && 'char' in a && 'char' in b && a.char === b.char) next.push([1, 1])
  return next
}

function takes({ crosses }: { readonly crosses: boolean }, char: string): boolean {
  return crosses || (char !== '/' && char !== ':')
}
