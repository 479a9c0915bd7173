import type { Static, TSchema } from 'typebox'
import { isJsonObject } from '../platform/strict_json.ts'
import { DocumentFault, parseValue, readYaml, type Fault, type IsSound } from './document.ts'
import type { WrittenDocument } from './documents_in.ts'
import { identifier } from './forms.ts'

/** A list that a file holds: its member, and by what member its entries are called. */
export interface EntryList {
  readonly list: string
  readonly calledBy: string
}

/**
 * Parses a file that holds a list. A fault says the file, the number of the entry, and what it is called: in a list of forty
 * a number alone finds nobody.
 * @throws DocumentFault
 */
export function parseEntries<Schema extends TSchema>(
  { path, text }: WrittenDocument,
  schema: Schema,
  entries: EntryList,
  isSound?: IsSound,
): Static<Schema> {
  let value: unknown
  try {
    value = readYaml(text)
    return parseValue(value, schema, isSound)
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    throw new DocumentFault(
      error.faults.map((fault) => ({
        ...named(fault, value, entries),
        path: fault.path === '' ? path : `${path}: ${fault.path}`,
      })),
    )
  }
}

const isName = new RegExp(identifier.pattern)

/** A name that has not the form of one could be anything, and is not shown. */
function named(fault: Fault, value: unknown, { list, calledBy }: EntryList): Fault {
  const place = /^([^.[]*)\[(\d+)\]/.exec(fault.path)
  if (place?.[1] !== list || !isJsonObject(value)) return fault
  const entries = value[list]
  const entry: unknown = Array.isArray(entries) ? entries[Number(place[2])] : undefined
  const name = isJsonObject(entry) ? entry[calledBy] : undefined
  return typeof name === 'string' && isName.test(name) ? { ...fault, entry: name } : fault
}
