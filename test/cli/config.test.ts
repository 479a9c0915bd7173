import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Errors } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { runInProcess } from '../fakes/io.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-config-'))
})

afterEach(() => rm(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const check = (environment: Record<string, string> = {}) =>
  runInProcess(['config', 'check', 'lumo.yaml'], { workingFolder: folder, environment })

type Json = Readonly<Record<string, unknown>>

const provider = {
  name: 'prod',
  kind: 'kubernetes',
  issuers: ['https://cluster.example'],
  keys: { discovery: true },
}

function authority(tenant: Json = {}): Json {
  return {
    roles: ['authority'],
    authority: {
      origin: 'https://auth.example',
      store: { file: at('store.sqlite') },
      keyEncryptionFile: at('key'),
      tenants: [{ slug: 'acme-corp', policy: at('policy.yaml'), providers: [provider], ...tenant }],
    },
  }
}

const agent = (more = '') => `  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
${more}`
const goodPolicy = `agents:\n${agent()}`

const noFaults = { exitCode: 0, stdout: 'lumo.yaml: no faults\n', stderr: '' }
const faults = (...sentences: readonly string[]) => ({
  exitCode: 1,
  stdout: '',
  stderr: sentences.map((sentence) => `lumo.yaml: ${sentence}\n`).join(''),
})

describe('config check of a good configuration', () => {
  test('with its policy', async () => {
    await writeFile(at('lumo.yaml'), JSON.stringify(authority()))
    await writeFile(at('policy.yaml'), goodPolicy)
    expect(await check()).toEqual(noFaults)
  })

  test('with a folder of policies, dot files left out', async () => {
    await mkdir(at('policy.yaml'))
    await writeFile(at('policy.yaml/one.yaml'), goodPolicy)
    await writeFile(at('policy.yaml/.two.yaml'), '{')
    await writeFile(at('lumo.yaml'), JSON.stringify(authority()))
    expect(await check()).toEqual(noFaults)
  })

  test('of a broker, in YAML, with the environment laid over it', async () => {
    await writeFile(at('lumo.yaml'), 'roles: [broker]\nbroker: { authority: {} }\n')
    const environment = { LUMOAUTH_URL: 'https://auth.example', LUMOAUTH_TENANT: 'acme-corp' }
    expect(await check(environment)).toEqual(noFaults)
  })
})

describe('config check warns, and finds no fault,', () => {
  test('of agents that one proof can both be', async () => {
    await writeFile(at('lumo.yaml'), JSON.stringify(authority()))
    const wide =
      "  - name: wide\n    proof: { provider: prod, namespace: research, serviceAccount: 'doc-*' }\n"
    await writeFile(at('policy.yaml'), `agents:\n${agent()}${wide}`)
    expect(await check()).toEqual({
      ...noFaults,
      stderr:
        'lumo.yaml: warning: agent wide: a proof can be agent doc-analyst as well, and then has to name one by client_id\n',
    })
  })

  test('of a rule that can never match', async () => {
    const tenantId = '11111111-2222-3333-4444-555555555555'
    const other = '99999999-2222-3333-4444-555555555555'
    const azure = { name: 'entra', kind: 'azure', tenantId, audiences: ['api://lumo'] }
    await writeFile(at('lumo.yaml'), JSON.stringify(authority({ providers: [azure] })))
    const rule = `{ provider: entra, tid: ${other}, oid: ${other} }`
    await writeFile(at('policy.yaml'), `agents:\n  - { name: vm, proof: ${rule} }\n`)
    expect(await check()).toEqual({
      ...noFaults,
      stderr:
        'lumo.yaml: warning: agent vm: its rule can never match: tid is not the tenantId of its provider\n',
    })
  })
})

describe('config check reports', () => {
  test('every fault of the file at once', async () => {
    const bad = { ...authority({ slug: 'Acme Corp', colour: 'red' }), log: { level: 'loud' } }
    await writeFile(at('lumo.yaml'), JSON.stringify(bad))
    const { exitCode, stdout, stderr } = await check()
    expect([exitCode, stdout]).toEqual([1, ''])
    const places = stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.split(': ', 2).join(': '))
    expect(places.toSorted()).toEqual(
      [
        'lumo.yaml: authority.tenants[0].colour',
        'lumo.yaml: authority.tenants[0].slug',
        'lumo.yaml: log.level',
      ].toSorted(),
    )
  })

  test('plain HTTP to an authority elsewhere', async () => {
    const config = {
      roles: ['broker'],
      broker: { authority: { url: 'http://auth.example', tenant: 'acme-corp' } },
    }
    await writeFile(at('lumo.yaml'), JSON.stringify(config))
    expect(await check()).toEqual(
      faults(
        'broker.authority.url: must be https: over plain HTTP a proof could be read on the way',
      ),
    )
  })

  test('YAML that cannot be read, by its line and not by its text', async () => {
    await writeFile(at('lumo.yaml'), 'roles: [broker]\nsecret-of-mine: "\n')
    const { exitCode, stderr } = await check()
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^lumo\.yaml: the YAML cannot be read \([A-Z_]+, line \d+\)\n$/)
  })

  test('a file that is not there', async () => {
    expect(await check()).toEqual(faults(`${at('lumo.yaml')} does not exist`))
  })

  test('a policy that is not there', async () => {
    await writeFile(at('lumo.yaml'), JSON.stringify(authority()))
    expect(await check()).toEqual(faults(`${at('policy.yaml')} does not exist`))
  })

  test.each<[string, string, readonly string[]]>([
    [
      'a provider that the tenant does not have',
      `agents:\n${agent().replace('prod', 'staging')}`,
      ['agents[0].proof.provider: the tenant has no provider of this name'],
    ],
    [
      'a member that there is not',
      `agents:\n${agent('    colour: red\n')}`,
      ['agents[0].colour: there is no such setting'],
    ],
    [
      'several faults',
      `agents:\n${agent('    lifetime: 1\n')}${agent('    maxTargets: 9\n')}`,
      ['agents[0].lifetime: must be >= 60', 'agents[1].maxTargets: must be <= 5'],
    ],
    [
      'an agent that is defined twice, in both places',
      `agents:\n${agent()}${agent()}`,
      [0, 1].map(
        (index) =>
          `agents[${String(index)}]: its name, sub or client id is claimed more than once, so this agent is left out`,
      ),
    ],
  ])('of a policy: %s', async (_name, policy, sentences) => {
    await writeFile(at('lumo.yaml'), JSON.stringify(authority()))
    await writeFile(at('policy.yaml'), policy)
    expect(await check()).toEqual(
      faults(...sentences.map((sentence) => `${at('policy.yaml')}: ${sentence}`)),
    )
  })
})

interface Schema {
  readonly $schema?: string
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: boolean
}

/** Every setting below a schema, with its path. */
function settingsOf(schema: Schema, path: string): readonly (readonly [string, Schema])[] {
  const inner = schema.items ? settingsOf(schema.items, `${path}[]`) : []
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    return [[at, member] as const, ...settingsOf(member, at)]
  })
  return [...inner, ...members]
}

describe('config schema', () => {
  const schemas: readonly [string, readonly string[], readonly string[]][] = [
    [
      'of the configuration',
      [],
      ['roles', 'log.level', 'authority.tenants[].clients[].grants[].scopes', 'broker.proof.file'],
    ],
    [
      'of policies',
      ['policy'],
      ['agents', 'agents[].proof.namespace', 'agents[].delegation.maxDepth'],
    ],
  ]

  async function schemaOf(more: readonly string[]): Promise<Schema> {
    const ran = await runInProcess(['config', 'schema', ...more], { workingFolder: folder })
    expect([ran.exitCode, ran.stderr]).toEqual([0, ''])
    return JSON.parse(ran.stdout) as Schema
  }

  test.each([
    ['authority.yaml', {}],
    ['agent.yaml', {}],
    ['node-broker.yaml', { NODE_NAME: 'node-a' }],
  ])('takes the configuration of deploy/by-hand/%s', async (file, environment) => {
    const schema = await schemaOf([])
    const text = await readFile(new URL(`../../deploy/by-hand/${file}`, import.meta.url), 'utf8')
    const configs = parseAllDocuments(text)
      .map((document) => document.toJS() as { kind: string; data?: Record<string, string> })
      .flatMap(({ data }) => data?.['config.yaml'] ?? [])
    expect(configs.length).toBe(1)
    for (const config of configs) {
      expect(Errors(schema, parse(config))).toEqual([])
      expect(() => loadConfig(config, environment)).not.toThrow()
    }
  })

  test.each(schemas)('%s is JSON Schema and has the settings', async (_name, more, settings) => {
    const schema = await schemaOf(more)
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(settingsOf(schema, '').map(([path]) => path)).toEqual(
      expect.arrayContaining([...settings]),
    )
  })

  test.each(schemas)('%s describes every setting in a sentence', async (_name, more) => {
    const bare = settingsOf(await schemaOf(more), '').filter(
      ([, { description }]) => description === undefined || !/^.+\.$/.test(description),
    )
    expect(bare.map(([path]) => path)).toEqual([])
  })

  test.each(schemas)('%s is closed at every place', async (_name, more) => {
    const schema = await schemaOf(more)
    const open = [['', schema] as const, ...settingsOf(schema, '')].flatMap(([path, each]) => {
      const objects = [each, each.items].filter((one) => one?.properties !== undefined)
      return objects.some((one) => one?.additionalProperties !== false) ? [path] : []
    })
    expect(open).toEqual([])
  })
})

test('config check reads the roles as well', async () => {
  await writeFile(at('lumo.yaml'), JSON.stringify(authority({ roles: at('roles.yaml') })))
  await writeFile(at('policy.yaml'), goodPolicy)
  await writeFile(at('roles.yaml'), 'roles: [{ name: reader, permissions: [a], user: [x] }]')
  const { exitCode, stderr } = await check()
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/roles\.yaml.*user/)])
  await writeFile(at('roles.yaml'), 'roles: [{ name: reader, permissions: [a], users: [x] }]')
  expect(await check()).toEqual(noFaults)
})
