/** RFC 6902, the operations that are needed. */
export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string }

/** RFC 6901. */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments
    .map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
}

/** Appends to a list that may not be there: a JSON Patch cannot add to what is missing. */
export function append(
  list: readonly unknown[] | undefined,
  path: string,
  values: readonly unknown[],
): readonly Operation[] {
  if (values.length === 0) return []
  if (list === undefined) return [{ op: 'add', path, value: values }]
  return values.map((value) => ({ op: 'add' as const, path: `${path}/-`, value }))
}

/** Sets members of an object that may not be there. */
export function assign(
  object: Readonly<Record<string, unknown>> | undefined,
  path: string,
  values: Readonly<Record<string, unknown>>,
): readonly Operation[] {
  if (object === undefined) return [{ op: 'add', path, value: values }]
  return Object.entries(values).map(([name, value]) => ({
    op: 'add' as const,
    path: path + pointer(name),
    value,
  }))
}
