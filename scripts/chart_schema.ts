import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { clientSchema } from '../src/config/client.ts'
import { keysSchema } from '../src/config/provider/keys.ts'
import { providerSchema } from '../src/config/provider/schema.ts'
import { configSchema } from '../src/config/schema.ts'
import { policySchema } from '../src/policy/schema.ts'

/**
 * `node scripts/chart_schema.ts`: writes what an agent and a client may be into the schema of the chart's values, as the program
 * has it: what that would refuse when it reads it, Helm refuses before anything is installed.
 */
const file = fileURLToPath(new URL('../charts/lumo-broker/values.schema.json', import.meta.url))

type Schema = Readonly<Record<string, unknown>>

const generated: Readonly<Record<string, object>> = {
  agent: policySchema.properties.agents.items,
  client: clientSchema,
  provider: providerSchema,
  keys: keysSchema,
}

/** The schema with these parts made anew. */
export async function chartSchema(text: string): Promise<string> {
  const schema = JSON.parse(text) as { $defs: Record<string, unknown> }
  for (const [name, part] of Object.entries(generated)) {
    schema.$defs[name] = asWritten(plain(part))
  }
  schema.$defs['config'] = partOf(plain(configSchema), 3)
  const style = await resolveConfig(file)
  return format(JSON.stringify(schema, null, 2), { ...style, parser: 'json' })
}

function plain(schema: object): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema
}

/** What is merged into a configuration: names and types, so deep, for a name that is misspelt is what happens. */
function partOf(schema: Schema, depth: number): Schema {
  const { type, properties, enum: words, minimum, maximum, pattern } = schema
  if (properties === undefined || depth === 0) {
    const kept = { type, enum: words, minimum, maximum, pattern }
    return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
  }
  const members = Object.entries(properties as Readonly<Record<string, Schema>>)
  return {
    type,
    properties: Object.fromEntries(members.map(([name, one]) => [name, partOf(one, depth - 1)])),
    additionalProperties: false,
  }
}

/** Helm shows a value that does not fit a pattern, and somebody may write the secret itself there: the templates judge it. */
const SECRET_HASH = '^sha256:[A-Za-z0-9_-]{43}$'

/** As an operator writes it: what has a default may be left out. Sentences and defaults are the program's own. */
function asWritten(schema: Schema): Schema {
  const { default: _default, form: _form, description: _description, ...all } = schema
  const rest = all['pattern'] === SECRET_HASH ? { type: all['type'], maxLength: 200 } : all
  const properties = rest['properties'] as Readonly<Record<string, Schema>> | undefined
  const patterns = rest['patternProperties'] as Readonly<Record<string, Schema>> | undefined
  const items = rest['items'] as Schema | undefined
  const names = rest['propertyNames'] as Schema | undefined
  const required = (rest['required'] as readonly string[] | undefined)?.filter(
    (name) => properties?.[name]?.['default'] === undefined,
  )
  return {
    ...rest,
    ...(properties && { properties: each(properties) }),
    ...(patterns && { patternProperties: each(patterns) }),
    ...(items && { items: asWritten(items) }),
    ...(names && { propertyNames: asWritten(names) }),
    ...(required && { required }),
  }
}

function each(schemas: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, asWritten(one)]))
}

if (import.meta.main) writeFileSync(file, await chartSchema(readFileSync(file, 'utf8')))
