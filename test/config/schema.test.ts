import Type from 'typebox'
import { Check } from 'typebox/value'
import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'

/** What this test reads of a JSON Schema. */
interface Node {
  readonly type?: string
  readonly description?: string
  readonly env?: string
  readonly default?: unknown
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
}

interface Setting {
  readonly path: string
  readonly node: Node
}

/** Every setting below a node: its members, and those of what its lists hold. */
function settingsOf(node: Node, path: string): readonly Setting[] {
  const members = Object.entries(node.properties ?? {}).map(([name, inner]) => ({
    path: path === '' ? name : `${path}.${name}`,
    node: inner,
  }))
  const listed = node.items ? settingsOf(node.items, `${path}[]`) : []
  return [...members, ...members.flatMap((one) => settingsOf(one.node, one.path)), ...listed]
}

const settings = settingsOf(configSchema as Node, '')

function pathsWhere(wanted: (node: Node) => boolean): readonly string[] {
  return settings.filter(({ node }) => wanted(node)).map(({ path }) => path)
}

test('the walk finds settings at every depth', () => {
  const paths = settings.map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining([
      'roles',
      'log.level',
      'authority.tenants',
      'authority.tenants[].providers[].keys.jwksUrl',
      'authority.tenants[].clients[].grants[].target',
      'broker.authority.url',
    ]),
  )
  expect(new Set(paths).size).toBe(paths.length)
})

test('every setting has a description', () => {
  expect(pathsWhere(({ description }) => description === undefined)).toEqual([])
})

test('every description is of whole sentences', () => {
  expect(
    settings
      .filter(({ node }) => node.description !== undefined)
      .filter(({ node }) => !/^[\x20-\x7e]{5,}[.]$/.test(node.description ?? ''))
      .map(({ path }) => path),
  ).toEqual([])
})

test('every object takes the settings that it knows, and no others', () => {
  expect(
    pathsWhere((node) => node.properties !== undefined && node.additionalProperties !== false),
  ).toEqual([])
})

test('every default is a value that may be set', () => {
  const wrong = settings.filter(
    ({ node }) =>
      node.default !== undefined &&
      // An empty object is what the defaults of its members go into.
      node.properties === undefined &&
      !Check(Type.Unsafe(node), node.default),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('these are the variables that override a setting', () => {
  const variables = settings.flatMap(({ path, node }) =>
    node.env === undefined ? [] : [[path, node.env]],
  )
  expect(Object.fromEntries(variables)).toEqual({
    'log.level': 'LUMO_LOG_LEVEL',
    'broker.podIp': 'POD_IP',
    'broker.hostIp': 'HOST_IP',
    'broker.authority.url': 'LUMOAUTH_URL',
    'broker.authority.tenant': 'LUMOAUTH_TENANT',
    'broker.proof.source': 'LUMO_PROOF',
    'broker.proof.file': 'LUMO_PROOF_FILE',
    'broker.callers.nodeName': 'NODE_NAME',
    'broker.dropIn.secret': 'LUMO_GUARD_SECRET',
    'webhook.podName': 'POD_NAME',
  })
})
