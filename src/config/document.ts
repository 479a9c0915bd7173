import type { Static, TSchema } from 'typebox'
import { Settings } from 'typebox/system'
import { Default, Errors } from 'typebox/value'
import { isScalar, parseDocument, visit, type Document } from 'yaml'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject } from '../platform/strict_json.ts'

/** One thing that is wrong in a file that an operator wrote: where, and a sentence. */
export interface Fault {
  /** Such as `authority.tenants[0].slug`; empty for the document itself. */
  readonly path: string
  readonly message: string
  /** What the entry is called that it lies in, where the path has its number only. */
  readonly entry?: string
}

/** Takes a fault down, while others are looked for. */
export type ReportFault = (path: string, message: string) => void

/** A document with faults; all of them, so that one reading is enough to mend it. */
export class DocumentFault extends OperatorFault {
  readonly faults: readonly Fault[]
  constructor(faults: readonly Fault[]) {
    super(faults.map(tellFault).join('; '))
    this.faults = faults
  }
}

export function showFault({ path, message }: Fault): string {
  return path === '' ? message : `${path}: ${message}`
}

/** For whoever has not the file before them, and cannot count: with the name of the entry. */
export function tellFault(fault: Fault): string {
  return fault.entry === undefined ? showFault(fault) : `${showFault(fault)} (${fault.entry})`
}

/**
 * Parses YAML 1.2 (so JSON as well) into the shape of a schema, its defaults filled in. Members that the schema does not
 * know, members that stand twice and aliases are refused. `isSound` as for `examine`.
 * @throws DocumentFault
 */
export function parseYaml<Schema extends TSchema>(
  text: string,
  schema: Schema,
  isSound?: IsSound,
): Static<Schema> {
  return parseValue(readYaml(text), schema, isSound)
}

/**
 * The value that YAML stands for, of no shape yet.
 * @throws DocumentFault
 */
export function readYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, schema: 'core' })
  if (document.errors.length > 0) {
    // The parser's own message may quote the text, and this text may hold what nobody should quote.
    throw new DocumentFault(
      document.errors.map((error) => ({
        path: '',
        message: `the YAML cannot be read (${error.code}, line ${String(lineAt(text, error.pos[0]))})`,
      })),
    )
  }
  refuseRepeatedKeys(document, text)
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 0 })
  } catch {
    throw new DocumentFault([{ path: '', message: 'YAML aliases are not allowed' }])
  }
  return value ?? {}
}

/** The library's own check costs the square of the number of members, and stops everybody else meanwhile. */
function refuseRepeatedKeys(document: Document.Parsed, text: string): void {
  visit(document, {
    Map(_key, map) {
      const names = new Set<string>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : ''
        if (names.has(name)) {
          const line = lineAt(text, (isScalar(key) ? key.range?.[0] : undefined) ?? 0)
          throw new DocumentFault([
            { path: '', message: `the YAML cannot be read (DUPLICATE_KEY, line ${String(line)})` },
          ])
        }
        names.add(name)
      }
    },
  })
}

/**
 * The same for a value that is parsed already.
 * @throws DocumentFault
 */
export function parseValue<Schema extends TSchema>(
  value: unknown,
  schema: Schema,
  isSound?: IsSound,
): Static<Schema> {
  const { filled, faults } = examine(value, schema, isSound)
  if (faults.length > 0) throw new DocumentFault(faults)
  return filled as Static<Schema>
}

const MAX_FAULTS = 1_000
/** Said once more, for each of the members. */
const saidOfMembers: ReadonlySet<string> = new Set([
  'additionalProperties',
  'propertyNames',
  'anyOf',
])

/** Whether a value has the shape of a schema, said by a check that was compiled for it. */
export type IsSound = (value: unknown) => boolean

/**
 * Fills defaults in and lists what is wrong; where nothing is, `filled` has the shape of the schema. Where `isSound` says so
 * nothing is looked for, which for a large document takes most of the time.
 */
export function examine(
  value: unknown,
  schema: TSchema,
  isSound?: IsSound,
): { readonly filled: unknown; readonly faults: readonly Fault[] } {
  // `Default` writes into what it is given.
  const filled = Default(schema, structuredClone(value))
  if (isSound?.(filled) === true) return { filled, faults: [] }
  // Without it the library leaves off after the eighth.
  Settings.Set({ maxErrors: MAX_FAULTS })
  const faults = new Map<string, Fault>()
  for (const error of Errors(schema, filled)) {
    if (saidOfMembers.has(error.keyword)) continue
    const fault = { path: showPath(error.instancePath), message: sentenceOf(error, schema) }
    faults.set(showFault(fault), fault)
  }
  return { filled, faults: [...faults.values()] }
}

/** Where only one fault is told, this one: it is the cause of others, such as that what was misspelt must be given. */
export const NO_SUCH_SETTING = 'there is no such setting'

type SchemaError = ReturnType<typeof Errors>[number]

/** A schema as its texts are found in it: `form` says what a text has to be, after "must be". */
type SchemaNode = Readonly<Record<string, unknown>>

function sentenceOf(error: SchemaError, schema: TSchema): string {
  switch (error.keyword) {
    case 'boolean':
      return NO_SUCH_SETTING
    case 'required':
      return `${error.params.requiredProperties.join(', ')} must be given`
    case 'enum':
      return `must be one of ${error.params.allowedValues.map(String).join(', ')}`
    case 'pattern':
    case 'type': {
      // A pattern says nothing to whoever wrote the file; where YAML made a number of a text, neither does "string".
      const form = formAt(error.schemaPath, schema)
      return form === undefined ? error.message : `must be ${form}`
    }
    default:
      return error.message
  }
}

function formAt(pointer: string, schema: TSchema): string | undefined {
  const node = stepsOf(pointer).reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step)
        ? (at as SchemaNode)[step]
        : undefined,
    schema,
  )
  const form = isJsonObject(node) ? node['form'] : undefined
  return typeof form === 'string' ? form : undefined
}

/** Of a JSON pointer (RFC 6901). */
function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function showPath(pointer: string): string {
  return (
    stepsOf(pointer)
      // A member's name is whatever somebody wrote: no terminal sequences, and no more of it than helps.
      .map((step) => step.slice(0, 64).replaceAll(/[^\x20-\x7e]/g, '?'))
      .reduce((path, step) => {
        if (/^\d+$/.test(step)) return `${path}[${step}]`
        return path === '' ? step : `${path}.${step}`
      }, '')
  )
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}
