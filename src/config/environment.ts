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

/**
 * Lays the environment over a document: a setting whose schema has a member `env` is taken from there. A variable never
 * adds a role that the document leaves out, and two names for one setting that say different things are a fault.
 */
export function overlayEnvironment(
  document: unknown,
  environment: Environment,
  faults: Fault[],
): unknown {
  if (!isJsonObject(document)) return document
  return settingsOf(configSchema as SchemaNode, []).reduce<Readonly<Record<string, unknown>>>(
    (result, { path, variable }) => {
      const value = valueOf(variable, environment, faults)
      const [section = ''] = path
      const isAbsentRole = (section === 'authority' || section === 'broker') && !(section in result)
      return value === undefined || isAbsentRole ? result : withValueAt(result, path, value)
    },
    document,
  )
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

function valueOf(variable: string, environment: Environment, faults: Fault[]): string | undefined {
  const value = environment[variable]
  const synonym = synonyms[variable]
  const other = synonym === undefined ? undefined : environment[synonym]
  if (value !== undefined && other !== undefined && value !== other) {
    faults.push({ path: '', message: `${variable} and ${String(synonym)} say different things` })
  }
  return value ?? other
}
