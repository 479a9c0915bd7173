import { isJsonObject } from '../platform/strict_json.ts'
import type { Fault } from './document.ts'
import { configSchema } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What this module reads of a schema: where a setting lies, and the variable that overrides it. */
interface SchemaNode {
  readonly env?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
}

interface Setting {
  readonly path: readonly string[]
  readonly variable: string
}

/** Names that LumoAuth's own programs use for the same thing. */
const synonyms: Readonly<Record<string, string>> = { LUMOAUTH_TENANT: 'LUMOAUTH_ORG_ID' }

/** A variable must not add one: its presence is what makes a role. */
const sections = new Set(['authority', 'broker', 'webhook'])

/** A document with the environment laid over it, and where that made a difference. */
export interface Overlaid {
  readonly document: unknown
  /** The variables that were taken, each by the path of its setting. */
  readonly given: ReadonlyMap<string, string>
}

/**
 * Lays the environment over a document: a setting whose schema has a member `env` is taken from there. A variable never
 * adds a role that the document leaves out, and two names for one setting that say different things are a fault.
 */
export function overlayEnvironment(
  document: unknown,
  environment: Environment,
  faults: Fault[],
): Overlaid {
  const given = new Map<string, string>()
  if (!isJsonObject(document)) return { document, given }
  const overlaid = settingsOf(configSchema as SchemaNode, []).reduce<
    Readonly<Record<string, unknown>>
  >((result, { path, variable }) => {
    const found = valueOf(variable, environment, faults)
    const [section = ''] = path
    const isAbsentRole = sections.has(section) && !(section in result)
    if (!found || isAbsentRole) return result
    given.set(path.join('.'), found.name)
    return withValueAt(result, path, found.value)
  }, document)
  return { document: overlaid, given }
}

/** Names the variable that gave what is wrong, for in the file nobody would find it. */
export function blameVariable({ path, message }: Fault, given: Overlaid['given']): Fault {
  const variable = given.get(path)
  return { path, message: variable === undefined ? message : `${message} (given by ${variable})` }
}

/** The same of a section whose settings contradict one another; never of a whole role. */
export function blameWithin(fault: Fault, given: Overlaid['given']): Fault {
  const { path, message } = fault
  const within = [...given].filter(
    ([at]) => path.includes('.') && at.slice(0, at.lastIndexOf('.')) === path,
  )
  if (within.length === 0) return blameVariable(fault, given)
  const named = within.map(
    ([at, variable]) => `its ${at.slice(path.length + 1)} is given by ${variable}`,
  )
  return { path, message: `${message} (${named.join(', ')})` }
}

function settingsOf(schema: SchemaNode, path: readonly string[]): readonly Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([member, inner]) => {
    const at = [...path, member]
    return inner.env === undefined ? settingsOf(inner, at) : [{ path: at, variable: inner.env }]
  })
}

function withValueAt(
  object: Readonly<Record<string, unknown>>,
  [member = '', ...rest]: readonly string[],
  value: string,
): Readonly<Record<string, unknown>> {
  if (rest.length === 0) return { ...object, [member]: value }
  const inner = object[member] ?? {}
  // Something that is no section is left for the schema to complain about.
  return isJsonObject(inner) ? { ...object, [member]: withValueAt(inner, rest, value) } : object
}

function valueOf(
  variable: string,
  environment: Environment,
  faults: Fault[],
): { readonly name: string; readonly value: string } | undefined {
  const value = environment[variable]
  const synonym = synonyms[variable]
  const other = synonym === undefined ? undefined : environment[synonym]
  if (value !== undefined && other !== undefined && value !== other) {
    faults.push({ path: '', message: `${variable} and ${String(synonym)} say different things` })
  }
  if (value !== undefined) return { name: variable, value }
  return synonym === undefined || other === undefined ? undefined : { name: synonym, value: other }
}
