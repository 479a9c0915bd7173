/** A text in which `*` stands for any run of characters, compiled into the literal pieces between the stars. */
export interface Pattern {
  readonly pieces: readonly string[]
}

export function compilePattern(text: string): Pattern {
  return { pieces: text.split('*') }
}

/**
 * True when all of `text` matches. Each piece is looked for once, from the left, at its first place: linear in the text,
 * where a regular expression made of the same stars can be made to backtrack without end.
 */
export function matchesPattern({ pieces }: Pattern, text: string): boolean {
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
