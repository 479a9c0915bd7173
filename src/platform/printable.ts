/** Text that somebody else wrote, for a terminal: printable ASCII in one line, and no more of it than `max` characters. */
export function printable(text: string, max: number): string {
  return text.slice(0, max).replaceAll(/[^\x20-\x7e]/g, '?')
}
