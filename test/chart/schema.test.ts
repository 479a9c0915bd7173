import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { chartFolder } from './chart.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly items?: Schema
}

const text = readFileSync(`${chartFolder}values.schema.json`, 'utf8')
const schema = JSON.parse(text) as Schema & { readonly $defs: Readonly<Record<string, Schema>> }
const values: unknown = parse(readFileSync(`${chartFolder}values.yaml`, 'utf8'))

/** Every part of the schema that has named members, by its path. */
function closedParts(part: Schema, path: string): readonly (readonly [string, Schema])[] {
  const members = Object.entries(part.properties ?? {}).flatMap(([name, member]) =>
    closedParts(member, `${path}/${name}`),
  )
  const items = part.items ? closedParts(part.items, `${path}[]`) : []
  return [...(part.properties ? ([[path, part]] as const) : []), ...members, ...items]
}

/** `global` is shared with other charts of an umbrella chart, so that others' members are not ours to refuse. */
const OPEN = ['/global']

test('the schema is closed wherever it names members', () => {
  const parts = [
    ...closedParts(schema, ''),
    ...Object.entries(schema.$defs).flatMap(([name, part]) => closedParts(part, `$${name}`)),
  ]
  const open = parts.filter(([, part]) => part.additionalProperties !== false)
  expect(open.map(([path]) => path)).toEqual(OPEN)
})

test('the schema and the values name the same members', () => {
  compare(values, schema, '')
})

function compare(value: unknown, given: Schema, path: string): void {
  const part = given.$ref ? (schema.$defs[given.$ref.split('/').at(-1) ?? ''] ?? {}) : given
  if (!part.properties || /\/(resources|extraConfig|cluster\/keys)$/.test(path)) return
  const members = value as Readonly<Record<string, unknown>>
  expect(Object.keys(members).sort(), path).toEqual(Object.keys(part.properties).sort())
  for (const [name, member] of Object.entries(part.properties)) {
    compare(members[name], member, `${path}/${name}`)
  }
}
