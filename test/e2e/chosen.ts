/** What to run, or a sentence why nothing is. */
export type Choice<Named> = { readonly cases: readonly Named[] } | { readonly fault: string }

/**
 * The cases whose names hold one of `only`; all, where that is undefined. Each of `only` has to mean something: a misspelt one
 * beside a good one would look like a test that passed.
 */
export function choose<Named extends { readonly name: string }>(
  cases: readonly Named[],
  only: readonly string[] | undefined,
): Choice<Named> {
  if (!only) return { cases }
  const unknown = only.filter(
    (part) => part === '' || !cases.some(({ name }) => name.includes(part)),
  )
  if (unknown.length > 0) {
    const names = cases.map(({ name }) => name).join(', ')
    return {
      fault: `there is no test ${unknown.map((part) => `"${part}"`).join(', ')}; there are: ${names}`,
    }
  }
  return { cases: cases.filter(({ name }) => only.some((part) => name.includes(part))) }
}
