/** Cases of all properties together: few in every run of the tests, many in `npm run fuzz`. */
const ALL = Number(process.env['FUZZ_CASES'] ?? '8000')

/** How many cases a property gets: this part of all. */
export function share(part: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(ALL * part) }
}
