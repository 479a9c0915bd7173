import type { Api, ApiAnswer, ApiHeader, ApiOperation, ApiParameter } from '../platform/api.ts'
import { merged, type PlacedOperation } from './merged_operation.ts'

/** What the whole description is called. */
export interface OpenApiInfo {
  readonly title: string
  readonly version: string
  readonly description: string
}

type Json = Readonly<Record<string, unknown>>

/**
 * Writes the OpenAPI 3.1 document of what a process serves, as JSON. Roles of one process may have a path in common, such as
 * the token endpoint and its drop-in: the document then has one operation, with the servers of both and what either takes and
 * answers.
 * @throws Error where two schemas, schemes or operations of different meaning have one name: a defect of a description
 */
export function openApiDocument(info: OpenApiInfo, apis: readonly Api[]): string {
  const responses = new Responses()
  const paths = pathsOf(apis, responses)
  const schemas = union(apis.map((api) => api.schemas))
  return JSON.stringify({
    openapi: '3.1.1',
    info,
    // Relative to where the document lies (OpenAPI 3.1.1 section 4.8.5), so the operations listener itself.
    servers: [{ url: '/' }],
    tags: apis.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [name, pointing(schema)]),
      ),
      responses: responses.all(),
      securitySchemes: union(apis.map((api) => api.securitySchemes)),
    },
  })
}

function pathsOf(apis: readonly Api[], responses: Responses): Json {
  const paths: Record<string, Record<string, PlacedOperation>> = {}
  for (const { name, servers, operations } of apis) {
    for (const operation of operations) {
      const placed = { operation, servers, tags: [name] }
      const item = (paths[operation.path] ??= {})
      const before = item[operation.method]
      item[operation.method] = before ? merged(before, placed) : placed
    }
  }
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, placed]) => [method, operationOf(placed, responses)]),
      ),
    ]),
  )
}

function operationOf({ operation, servers, tags }: PlacedOperation, responses: Responses): Json {
  const { id, summary, description, security, parameters, body, answers }: ApiOperation = operation
  const own = servers.some((url) => url !== '/')
  return {
    operationId: id,
    tags,
    summary,
    ...(description !== undefined && { description }),
    ...(own && { servers: servers.map((url) => ({ url })) }),
    ...(security.length > 0 && {
      security: security.map((together) => Object.fromEntries(together.map((name) => [name, []]))),
    }),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterOf) }),
    ...(body && { requestBody: { ...body, content: contentOf(body.content) } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [
        status,
        { $ref: `#/components/responses/${responses.nameOf(answer, `${id}-${status}`)}` },
      ]),
    ),
  }
}

/** Each answer once: many operations have the same, and a document with all of them spelt out is five times as large. */
class Responses {
  readonly #texts = new Map<ApiAnswer, string>()
  readonly #names = new Map<string, string>()

  /** The name of an answer; `wanted`, where it is the first like it. */
  nameOf(answer: ApiAnswer, wanted: string): string {
    const text = this.#texts.get(answer) ?? JSON.stringify(responseOf(answer))
    this.#texts.set(answer, text)
    const name = this.#names.get(text) ?? wanted
    this.#names.set(text, name)
    return name
  }

  all(): Json {
    return Object.fromEntries(
      [...this.#names].map(([text, name]) => [name, JSON.parse(text) as Json]),
    )
  }
}

function responseOf({ description, headers, content }: ApiAnswer): Json {
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers: headersOf(headers) }),
    ...(Object.keys(content).length > 0 && { content: contentOf(content) }),
  }
}

function parameterOf({ name, in: place, required, description, schema }: ApiParameter): Json {
  return { name, in: place, required, description, schema: pointing(schema) }
}

function headersOf(headers: Readonly<Record<string, ApiHeader>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { description, schema }]) => [
      name,
      { description, schema: pointing(schema) },
    ]),
  )
}

function contentOf(content: Readonly<Record<string, object>>): Json {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: pointing(schema) }]),
  )
}

/** The schema with its references as pointers into the document. Only our own schemas come here, so no member is called `$ref`. */
function pointing(schema: object): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? `#/components/schemas/${value}` : value,
  )
}

function union<Value extends object>(
  records: readonly Readonly<Record<string, Value>>[],
): Readonly<Record<string, Value>> {
  const all = new Map<string, Value>()
  for (const [name, value] of records.flatMap((record) => Object.entries(record))) {
    const before = all.get(name)
    if (before && JSON.stringify(before) !== JSON.stringify(value)) {
      throw new Error(`${name} means two things`)
    }
    all.set(name, value)
  }
  return Object.fromEntries(all)
}
