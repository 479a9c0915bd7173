import Type, { type TSchema } from 'typebox'

/** The forms of values as JSON Schema, for descriptions of what is served; the parsers beside this decide. An empty value counts as absent. */

/** What `parseScope` reads. */
export function scopeSchema(description: string): TSchema {
  return Type.String({
    maxLength: 4_096,
    pattern: '^([\\x21\\x23-\\x5b\\x5d-\\x7e]+( [\\x21\\x23-\\x5b\\x5d-\\x7e]+)*)?$',
    description,
  })
}

/** What `isAudience` takes. */
export function audienceSchema(description: string): TSchema {
  return Type.String({ maxLength: 512, pattern: '^[\\x21-\\x7e]*$', description })
}

/** What `isResource` takes, but for what only a parser of URLs can tell. */
export function resourceSchema(description: string): TSchema {
  const pattern = '^([A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x22\\x24-\\x7e]*)?$'
  return Type.String({ maxLength: 512, pattern, description })
}

/** A parameter that may stand several times: in a form by its name, in JSON as an array. */
export function oneOrMore(schema: TSchema): TSchema {
  return Type.Union([schema, Type.Array(schema)], {
    description: String((schema as { readonly description?: string }).description),
  })
}

/** What `bodyFormOf` reads, with a body of this schema. */
export function bodyOf(schema: TSchema): Readonly<Record<string, TSchema>> {
  return { 'application/x-www-form-urlencoded': schema, 'application/json': schema }
}
