import { OperatorFault } from '../platform/operator_fault.ts'

/** A file that an operator wrote, as it was read. */
export interface WrittenDocument {
  readonly path: string
  readonly text: string
}

/**
 * The documents among what lies at a path: the file itself, or those of a folder whose names say that they are YAML or JSON. An
 * editor's backup is none.
 * @throws OperatorFault when there is none: an empty folder is a mistake, and does not take everybody's rights away
 */
export function documentsIn(
  root: string,
  contents: readonly { readonly path: string; readonly bytes: Buffer }[],
  what: 'policy' | 'client' | 'role',
): readonly WrittenDocument[] {
  const files = contents
    .filter(({ path }) => path === root || /\.(ya?ml|json)$/.test(path))
    .map(({ path, bytes }) => ({ path, text: bytes.toString('utf8') }))
  if (files.length === 0) {
    throw new OperatorFault(`${root} holds no ${what} file (.yaml, .yml, .json)`)
  }
  return files
}
