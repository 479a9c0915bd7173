import { Errors, Meta } from 'typebox/schema'
import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import { brokerApi } from '../../src/broker/api/api.ts'
import { authorityApi } from '../../src/endpoint/api/api.ts'
import { operationsApi } from '../../src/ops/api.ts'
import { openApiDocument } from '../../src/ops/openapi.ts'
import type { Api, ApiOperation } from '../../src/platform/api.ts'
import { Contract, type Json } from './contract.ts'

const info = { title: 'lumo-broker', version: '1.2.3', description: 'What is served.' }
const operations = operationsApi()
const authority = authorityApi({ origin: 'https://auth.example' })
const servers = ['http://127.0.0.1:9180', 'http://[::1]:9180']
const sidecar = brokerApi({ servers, callersProve: false, dropIn: true })
const node = brokerApi({ servers, callersProve: true, dropIn: true })
const bare = brokerApi({ servers, callersProve: false, dropIn: false })

const contractOf = (...apis: readonly Api[]) => new Contract(openApiDocument(info, apis))

const documents: readonly (readonly [name: string, contract: Contract])[] = [
  ['a webhook', contractOf(operations)],
  ['a sidecar', contractOf(operations, sidecar)],
  ['a sidecar without the routes for other clients', contractOf(operations, bare)],
  ['a broker of a node', contractOf(operations, node)],
  ['an authority', contractOf(operations, authority)],
  ['all in one', contractOf(operations, authority, node)],
]

/** Every object inside of a value, with where it is. */
function* objectsIn(value: unknown, at = '#'): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [at, value as Json]
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${at}/${key}`)
}

function pointedAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((inside, step) => (inside as Json | undefined)?.[step], document)
}

const twice = (all: readonly string[]) => all.filter((one, at) => all.indexOf(one) !== at)
const variablesOf = (path: string) => [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name)

describe.each(documents)('the document of %s', (_name, contract) => {
  const { document } = contract

  test('says what it is', () => {
    expect([document.openapi, document.info]).toEqual(['3.1.1', info])
  })

  test('refers to nothing that is not there', () => {
    const refs = [...objectsIn(document)].flatMap(([, { $ref }]) =>
      typeof $ref === 'string' ? [$ref] : [],
    )
    expect(refs.filter((ref) => pointedAt(document, ref) === undefined)).toEqual([])
  })

  test('has one id for each operation, which is a name in any language', () => {
    const ids = contract.operations.map(({ operation }) => operation.operationId)
    expect(twice(ids)).toEqual([])
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([])
  })

  test('has no two paths that differ in nothing but the names of variables', () => {
    const paths = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]+\}/g, '{}'))
    expect(twice(paths)).toEqual([])
    expect(paths.filter((path) => !path.startsWith('/'))).toEqual([])
  })

  test('declares the variables of a path, and each parameter once', () => {
    for (const { path, operation } of contract.operations) {
      const parameters = operation.parameters ?? []
      const inPath = parameters.filter((each) => each.in === 'path')
      expect(inPath.map(({ name }) => name)).toEqual(variablesOf(path))
      expect(inPath.every(({ required }) => required)).toBe(true)
      expect(twice(parameters.map((each) => `${each.in} ${each.name.toLowerCase()}`))).toEqual([])
      const headers = parameters.filter((each) => each.in === 'header')
      // OpenAPI 3.1.1 section 4.8.12: such parameters are ignored.
      expect(
        headers.filter(({ name }) => /^(accept|content-type|authorization)$/i.test(name)),
      ).toEqual([])
    }
  })

  test('says of every answer what it means', () => {
    for (const { operation } of contract.operations) {
      const responses = Object.entries(contract.responsesOf(operation))
      expect(responses.length).toBeGreaterThan(0)
      for (const [status, { description }] of responses) {
        expect(status).toMatch(/^([1-5]\d\d|default)$/)
        expect(description).not.toBe('')
      }
    }
  })

  test('names schemes and tags that are there', () => {
    const schemes = new Set(Object.keys(document.components.securitySchemes))
    const tags = new Set(document.tags.map(({ name }) => name))
    for (const { operation } of contract.operations) {
      const named = (operation.security ?? []).flatMap((together) => Object.keys(together))
      expect(named.filter((name) => !schemes.has(name))).toEqual([])
      expect(operation.tags.filter((name) => !tags.has(name))).toEqual([])
    }
  })

  test('has schemas that are schemas', () => {
    const meta = Meta['https://json-schema.org/draft/2020-12/schema']
    const schemas = [...objectsIn(document)].flatMap(([at, { schema }]) =>
      schema === undefined ? [] : [[at, schema] as const],
    )
    const all = [...schemas, ...Object.entries(document.components.schemas)]
    const faults = all.flatMap(([at, schema]) => {
      const [good, errors] = Errors(meta, schema)
      return good ? [] : [[at, errors[0]?.message]]
    })
    expect(faults).toEqual([])
    const names = Object.values(document.components).flatMap((part) => Object.keys(part))
    expect(names.filter((name) => !/^[a-zA-Z0-9._-]+$/.test(name))).toEqual([])
  })

  test('describes every schema, and every member of one', () => {
    const silent = [...objectsIn(document)].flatMap(([at, { properties }]) =>
      Object.entries((properties ?? {}) as Record<string, Json>)
        .filter(([, schema]) => schema['description'] === undefined && schema['$ref'] === undefined)
        .map(([name]) => `${at}/${name}`),
    )
    expect(silent).toEqual([])
  })

  test('closes every object that is answered', () => {
    const answered = contract.operations.flatMap(({ operation }) =>
      Object.values(contract.responsesOf(operation)).flatMap(({ content = {} }) =>
        Object.values(content),
      ),
    )
    const { schemas } = document.components
    const open = [...objectsIn([answered, closureOf(answered, schemas)])].filter(
      ([, { properties, additionalProperties }]) =>
        properties !== undefined && additionalProperties !== false,
    )
    // A description says nothing of what is in a description.
    expect(open.filter(([, { description }]) => description !== 'An OpenAPI document.')).toEqual([])
  })
})

/** The schemas that are reached from somewhere. */
function closureOf(from: unknown, schemas: Readonly<Record<string, Json>>): readonly Json[] {
  const reached = new Map<string, Json>()
  const visit = (value: unknown): void => {
    for (const [, { $ref }] of objectsIn(value)) {
      const name = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : ''
      const schema = schemas[name]
      if (!schema || reached.has(name)) continue
      reached.set(name, schema)
      visit(schema)
    }
  }
  visit(from)
  return [...reached.values()]
}

describe('only what runs in the process is described', () => {
  test.each([
    ['a webhook', contractOf(operations), ['operations']],
    ['a sidecar', contractOf(operations, sidecar), ['operations', 'broker']],
    ['an authority', contractOf(operations, authority), ['operations', 'authority']],
  ] as const)('of %s', (_name, { document, operations: all }, roles) => {
    expect(document.tags.map(({ name }) => name)).toEqual(roles)
    expect([...new Set(all.flatMap(({ operation }) => operation.tags))]).toEqual(roles)
  })

  test('the guard header is asked for by the own routes alone', () => {
    const guarded = contractOf(sidecar).operations.flatMap(({ path, operation }) =>
      (operation.parameters ?? []).some(({ name }) => name === 'Lumo-Broker') ? [path] : [],
    )
    expect([...new Set(guarded)]).toEqual([
      '/v1/token',
      '/v1/exchange',
      '/v1/exchange/{handle}',
      '/v1/sessions',
      '/v1/sessions/{session}',
      '/v1/identity',
    ])
  })

  test.each([
    ['a sidecar', sidecar, undefined],
    ['a broker of a node', node, [{ callerProof: [] }]],
  ] as const)('%s says whether callers prove themselves', (_name, api, security) => {
    expect(contractOf(api).find('GET', '/v1/token')?.security).toEqual(security)
  })
})

describe('a path that two roles have', () => {
  const path = '/t/{tenant}/api/v1/oauth/token'
  const both = contractOf(authority, node).find('POST', path)

  test('has the servers and tags of both', () => {
    expect(both?.tags).toEqual(['authority', 'broker'])
    expect(both?.servers?.map(({ url }) => url)).toEqual(['https://auth.example', ...servers])
  })

  test('takes and answers what either does', () => {
    const contract = contractOf(authority, node)
    const form = 'application/x-www-form-urlencoded'
    const faults = (body: Json) => contract.requestFaults('POST', path, form, body)
    expect(faults({ grant_type: 'client_credentials' })).toEqual([])
    expect(faults({ grant_type: 'refresh_token', refresh_token: 'a' })).toEqual([])
    expect(faults({ grant_type: 'password' })).not.toEqual([])
    const refused = (body: Json) =>
      contract.faultsOf('POST', path, {
        status: 503,
        headers: { 'content-type': 'application/json' },
        text: JSON.stringify({ error: 'temporarily_unavailable', error_description: '', ...body }),
      })
    expect(refused({})).toEqual([])
    expect(refused({ code: 'proof_missing' })).toEqual([])
    expect(refused({ code: 'nothing_of_ours' })).not.toEqual([])
  })
})

describe('two meanings of one name are a defect', () => {
  const operation: ApiOperation = {
    id: 'a',
    method: 'get',
    path: '/a',
    summary: 'A',
    security: [],
    parameters: [],
    answers: { 200: { description: 'A.', headers: {}, content: {} } },
  }
  const api = (more: Partial<Api>): Api => ({
    name: 'a',
    description: 'A.',
    servers: ['/'],
    securitySchemes: {},
    schemas: {},
    operations: [operation],
    ...more,
  })
  test.each([
    ['schemas', api({ schemas: { A: Type.String() } }), api({ schemas: { A: Type.Null() } })],
    [
      'schemes',
      api({ securitySchemes: { a: { type: 'http' } } }),
      api({ securitySchemes: { a: { type: 'oauth2' } } }),
    ],
  ])('%s', (_name, one, other) => {
    expect(() => openApiDocument(info, [one, other])).toThrow('means two things')
    expect(() => openApiDocument(info, [one, one])).not.toThrow()
  })
})
