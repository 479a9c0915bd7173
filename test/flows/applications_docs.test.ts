import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { brokerSchema } from '../../src/config/broker_schema.ts'
import { wantedOf } from '../../src/webhook/annotations.ts'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { environmentOf } from '../../src/webhook/sidecar.ts'
import { documentedPods, type DocumentedPods } from '../fakes/documented_pods.ts'
import { guardValue } from '../fakes/drop_in.ts'
import { runInProcess } from '../fakes/io.ts'
import { sendHttp, type Json } from '../fakes/running_authority.ts'
import { isShown, lackFor, prepare, runBlock } from './block_runner.ts'
import { injection } from '../webhook/reviews.ts'
import {
  anchorsOf,
  firstColumn,
  linksOf,
  readPage,
  settingsOf,
  type Block,
  type Schema,
} from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readPage('docs/applications.md')
const source = (file: string): Promise<string> => readFile(join(root, 'src', file), 'utf8')

/** The blocks that are run, each with the output that the page shows for it: the next one, which may be of several. */
const runs = page.blocks.flatMap((block, index) => {
  if (block.mark?.startsWith('run') !== true) return []
  const isOutput = ({ mark, language }: typeof block): boolean =>
    mark === undefined && ['json', 'text'].includes(language)
  const output = block.mark === 'run' ? page.blocks.slice(index).find(isOutput) : undefined
  return [{ block, output, name: `block_${String(index)}`, lack: '' }]
})
for (const run of runs) run.lack = (await lackFor(run.block)) ?? ''
for (const lack of new Set(runs.map((run) => run.lack))) {
  if (lack !== '') process.stderr.write(`docs/applications.md: blocks are not run: ${lack}\n`)
}

let pods: DocumentedPods

beforeAll(async () => {
  const sinks = page.blocks.find(({ mark }) => mark === 'broker')
  pods = await documentedPods((parse(sinks?.text ?? '') as { readonly sinks: Json[] }).sinks)
  await prepare(pods.folder)
})

afterAll(() => pods.stop())

const nodeBroker = { url: 'https://lumo-broker.lumo-system.svc:9180' }

/** What the webhook writes into the container of a pod with these annotations, as on the page. */
function written(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const config = { ...injection, nodeBroker }
  const wanted = wantedOf(
    { metadata: { annotations }, spec: { containers: [{ name: 'app' }] } },
    config,
  )
  if (wanted instanceof InjectionRefusal) throw new Error(wanted.message)
  return environmentOf({ name: 'app' }, wanted, config, { guardSecret: guardValue })
}

const environments = {
  sidecar: written({}),
  socket: written({ 'lumoauth.dev/socket': 'app' }),
  node: written({ 'lumoauth.dev/mode': 'node' }),
  proxy: written({
    'lumoauth.dev/proxy-routes':
      "[{ name: docs, upstream: 'https://docs.example.com', audience: 'https://docs.example.com', methods: [GET], paths: [/**] }]",
  }),
}

function onThisMachine(environment: Readonly<Record<string, string>>): Record<string, string> {
  // The CA lies where a pod by hand has it.
  const here = (value: string): string =>
    pods.onThisMachine(value.replace(/^.*\/ca\.crt$/, '/etc/lumo/ca/ca.crt'))
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, here(value)]))
}

/** Commands of the broker run in its own container; all else in one of a pod whose environment the webhook wrote. */
function environmentFor({ text }: Block): Readonly<Record<string, string>> {
  if (text.startsWith('lumo-broker ')) return pods.environment
  if (text.includes('LUMOAUTH_TOKEN_FILE')) return onThisMachine(environments.node)
  if (text.includes('LUMO_BROKER_SOCKET')) return onThisMachine(environments.socket)
  return onThisMachine(environments.sidecar)
}

describe.concurrent('every block of the page does what it shows', () => {
  for (const { block, output, name, lack } of runs) {
    const [first = ''] = block.text.trimStart().split('\n')
    test.skipIf(lack !== '')(`${name}, ${block.language}: ${first}`, async () => {
      const text = pods.onThisMachine(block.text)
      const printed = pods.asOnThePage(
        await runBlock({ ...block, text }, name, pods.folder, environmentFor(block)),
      )
      if (!output) expect(printed).toBe('')
      else if (!isShown(output, printed)) expect(printed).toBe(output.text)
    })
  }

  test('the init container waits, and ends when there is a token', async () => {
    const block = page.blocks.find(({ mark }) => mark === 'init container')
    const { args } = parse(block?.text ?? '') as { readonly args: string[] }
    const around = onThisMachine(environments.node)
    // As the kubelet does.
    const given = args.map((arg) =>
      arg.replaceAll(/\$\((\w+)\)/g, (_, name: string) => around[name] ?? ''),
    )
    expect(await runInProcess(given, { workingFolder: pods.folder })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
  })
})

describe('the blocks', () => {
  test('are each run, compared or checked', () => {
    const outputs = new Set(runs.map(({ output }) => output))
    const marks = new Set(['broker', 'init container', 'run', 'run silently'])
    const idle = page.blocks.filter((block) => !outputs.has(block) && !marks.has(block.mark ?? ''))
    expect(idle.map(({ text }) => text)).toEqual([])
  })

  test.each([
    ['sh', 13],
    ['python', 5],
    ['js', 4],
    ['go', 3],
  ])('in %s are as many as there should be', (language, count) => {
    expect(runs.filter(({ block }) => block.language === language)).toHaveLength(count)
  })
})

test('what a pod has is all that the webhook writes, with the values that it writes', () => {
  const given = Object.values(environments).flatMap((environment) => Object.entries(environment))
  const named = new Set(firstColumn(page, 'variable'))
  expect([...named].toSorted()).toEqual([...new Set(given.map(([name]) => name))].toSorted())
  const files = given.filter(([, value]) => value.startsWith('/')).map(([, value]) => value)
  expect(files.length).toBeGreaterThan(2)
  for (const value of files) expect(page.code).toContain(value)
})

/** Each code with the status beside it. */
const refusals = page.prose
  .split('\n')
  .filter((line) => /^\| `[a-z_]+`(, `[a-z_]+`)* +\| \d{3} /.test(line))
  .flatMap((line) => {
    const [, codes = '', status = ''] = line.split('|').map((cell) => cell.trim())
    return codes.split(', ').map((code) => [code.replaceAll('`', ''), Number(status)] as const)
  })

describe('refusals', () => {
  test('every code is explained once, and no other', async () => {
    const text = await source('broker/errors.ts')
    const codes = [...text.matchAll(/^ {2}([a-z_]+): \[/gm)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(40)
    expect(refusals.map(([code]) => code).toSorted()).toEqual(codes.toSorted())
  })

  test.each(refusals)('%s has status %i', (code, status) => {
    expect(new BrokerError(code as BrokerErrorCode).status).toBe(status)
  })
})

describe('what is refused on sight', () => {
  const named = firstColumn(page, 'header').flatMap((cell) => cell.split(', '))
  const refusedHeaders = named.filter((name) => /^[A-Z][A-Za-z-]+$/.test(name))

  test('is every header that the guards know', async () => {
    const [, set = ''] =
      /refused[^=]*= new Set\(\[([^\]]*)\]/.exec(await source('broker/guards.ts')) ?? []
    const known = [...set.matchAll(/'([a-z-]+)'/g)].map(([, name = '']) => name)
    const shown = refusedHeaders.map((name) => name.toLowerCase())
    expect(shown.toSorted()).toEqual([...known, 'x-forwarded-for'].toSorted())
  })

  test.each([
    ...refusedHeaders.map((name) => [name, 'x', 'forwarded_request'] as const),
    ['X-Forwarded-Prefix', 'x', 'forwarded_request'],
    ['Lumo-Broker', '', 'guard_header_missing'],
    ['Host', 'broker.example:9180', 'host_not_allowed'],
    ['Host', '127.0.0.1:1', 'host_not_allowed'],
  ] as const)('%s: %s', async (name, value, code) => {
    const answer = await sendHttp(Number(pods.besidePod.split(':')[1]), {
      path: '/v1/token',
      headers: { host: pods.besidePod, 'lumo-broker': 'true', [name.toLowerCase()]: value },
    })
    expect([answer.status, answer.json['code']]).toEqual([403, code])
  })
})

test('what may be asked for is what the broker takes', async () => {
  const [, names = ''] =
    /const names[^=]*= new Set\(\[([^\]]*)\]/.exec(await source('broker/wish.ts')) ?? []
  const taken = [...names.matchAll(/'([a-z_]+)'/g)].map(([, name = '']) => name)
  expect(firstColumn(page, 'parameter').toSorted()).toEqual(taken.toSorted())
})

test('the settings that it names are settings', () => {
  const all = settingsOf(brokerSchema as Schema).flatMap((name) => [name, `broker.${name}`])
  const known = new Set(all)
  const named = page.code.filter((code) => /^(broker|shutdown)\.[a-zA-Z]+$/.test(code))
  expect(named.length).toBeGreaterThan(1)
  // A page, and settings.
  expect(named.filter((name) => name !== 'broker.md' && !known.has(name))).toEqual([])
})

test('its links lead somewhere', async () => {
  for (const link of linksOf(page)) {
    const [file = '', anchor] = link.split('#')
    const target = await readPage(`docs/${file}`)
    if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
  }
})
