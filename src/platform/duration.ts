const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** Whole seconds as people say them, in at most two units: `41 min 3 s`, `2 d 5 h`. The sign is left out. */
export function showDuration(seconds: number): string {
  let left = Math.abs(Math.trunc(seconds))
  const first = UNITS.findIndex(([, size]) => left >= size)
  if (first === -1) return '0 s'
  const parts = UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(left / size)
    left -= count * size
    return [count, unit] as const
  })
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${String(count)} ${unit}`)
    .join(' ')
}
