import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../../src/config/schema.ts'
import { policySchema } from '../../src/policy/schema.ts'
import { runInProcess } from '../fakes/io.ts'
import {
  anchorsOf,
  firstColumn,
  linksOf,
  readPage,
  settingsIn,
  settingsOf,
  type Block,
  type Page,
  type Schema,
} from './pages.ts'

const shell = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const PROVIDERS = ['kubernetes', 'aws', 'gcp', 'azure', 'oidc'].map(
  (kind) => `docs/providers/${kind}.md`,
)
const REFUSALS = 'docs/providers/refusals.md'
const POLICY = 'docs/trust-policy.md'
const INDEX = 'docs/README.md'
const PAGES = [INDEX, POLICY, REFUSALS, ...PROVIDERS]

let folder: string
let pages: ReadonlyMap<string, Page>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-pages-'))
  await mkdir(join(folder, 'policy'))
  pages = new Map(
    await Promise.all(PAGES.map(async (path) => [path, await readPage(path)] as const)),
  )
})

afterAll(() => rm(folder, { recursive: true }))

const pageOf = (path: string): Page => {
  const page = pages.get(path)
  if (!page) throw new Error(`${path} was not read`)
  return page
}

type Json = Readonly<Record<string, unknown>>

/** Writes a configuration and a policy where the pages say that they are, but for the folder. */
async function place(config: unknown, policy = 'agents: []'): Promise<void> {
  const text = JSON.stringify(config).replaceAll('/etc/lumo', folder)
  await writeFile(join(folder, 'lumo.yaml'), text)
  await writeFile(join(folder, 'policy/policy.yaml'), policy)
}

/** The file of the index, with other providers. */
function around(providers: string): unknown {
  const whole = pageOf(INDEX).blocks.find(({ mark }) => mark === 'config')
  const config = parse(whole?.text ?? '') as Json & {
    readonly authority: Json & { readonly tenants: readonly Json[] }
  }
  const { authority } = config
  const tenants = authority.tenants.map((tenant) => ({
    ...tenant,
    providers: parse(providers) as unknown,
  }))
  return { ...config, authority: { ...authority, tenants } }
}

async function ran(given: string) {
  const { exitCode, stdout, stderr } = await runInProcess(given.split(' '), {
    workingFolder: folder,
  })
  return { exitCode, output: `${stderr}${stdout}`.replaceAll(folder, '/etc/lumo') }
}

const check = () => ran('config check lumo.yaml')
const clean = { exitCode: 0, output: 'lumo.yaml: no faults\n' }

/** Runs what a block shows: what comes before the program's own command by the shell. What the last command says. */
async function run({ text }: Block) {
  const at = text.indexOf('lumo-broker ')
  await shell('sh', ['-c', text.slice(0, at)], { cwd: folder })
  const [command = ''] = text.slice(at + 'lumo-broker '.length).split('\n')
  return ran(command)
}

/** What a marked block has to be, or is, as the blocks before it left things. */
async function judge(block: Block, providers: string): Promise<void> {
  switch (block.mark) {
    case 'config':
      await place(parse(block.text))
      expect(await check()).toEqual(clean)
      return
    case 'provider':
      await place(around(block.text))
      expect(await check()).toEqual(clean)
      return
    case 'policy':
    case 'policy with warnings':
    case 'policy with faults': {
      await place(around(providers), block.text)
      const { exitCode, output } = await check()
      if (block.mark === 'policy') expect({ exitCode, output }).toEqual(clean)
      else expect(exitCode).toBe(block.mark === 'policy with faults' ? 1 : 0)
      if (block.mark === 'policy with warnings') expect(output).toContain(': warning: ')
      return
    }
    case 'pod':
      // Where a broker looks that was told nothing else.
      expect(block.text).toContain('mountPath: /var/run/secrets/lumoauth.dev/proof,')
      expect(block.text).toMatch(/^ +path: token$/m)
      expect(parse(block.text)).toMatchObject({ kind: 'Pod' })
      return
    case 'workflow':
      expect(parse(block.text)).toBeTypeOf('object')
      return
    default:
      expect.fail(`this block says not what it is:\n${block.text}`)
  }
}

/** Goes through a page from its beginning, as a reader does. Answers how many outputs were compared. */
async function follow({ blocks }: Page): Promise<number> {
  let providers = ''
  let compared = 0
  for (const [index, block] of blocks.entries()) {
    if (block.mark === 'provider') providers = block.text
    if (block.language === 'yaml') await judge(block, providers)
    if (block.language !== 'sh') continue
    const next = blocks[index + 1]
    if (next?.language === 'text') {
      expect((await run(block)).output).toBe(next.text)
      compared += 1
      continue
    }
    expect(block.text).not.toContain('claims.json <<')
    for (const [, command = ''] of block.text.matchAll(/^lumo-broker (.+)$/gm)) {
      // 2 is a command line that the program does not take; the files are not all there.
      expect((await ran(command)).exitCode).not.toBe(2)
    }
  }
  return compared
}

describe('every block of the page is right, and every shown output is what the program says', () => {
  test.each([
    [INDEX, 0],
    [POLICY, 5],
    [REFUSALS, 0],
    ['docs/providers/kubernetes.md', 1],
    ['docs/providers/aws.md', 1],
    ['docs/providers/gcp.md', 1],
    ['docs/providers/azure.md', 1],
    ['docs/providers/oidc.md', 2],
  ])('%s', async (path, outputs) => {
    expect(await follow(pageOf(path))).toBe(outputs)
  })
})

describe('refusals', () => {
  test('every code is explained once, and no other', async () => {
    const source = await readFile(`${root}src/verifier/refusal.ts`, 'utf8')
    const codes = [...source.matchAll(/^ {2}\| '([a-z_]+)'$/gm)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(20)
    expect(firstColumn(pageOf(REFUSALS), 'code').toSorted()).toEqual(codes.toSorted())
  })

  test.each(PROVIDERS)('%s speaks of codes that there are', async (path) => {
    const sources = ['verifier/refusal.ts', 'broker/errors.ts']
    const texts = await Promise.all(sources.map((file) => readFile(`${root}src/${file}`, 'utf8')))
    const codes = firstColumn(pageOf(path), 'code')
    expect(codes.length).toBeGreaterThan(0)
    const unknown = codes.filter(
      (code) => !texts.some((text) => text.includes(`'${code}'`) || text.includes(`  ${code}: [`)),
    )
    expect(unknown).toEqual([])
  })

  test('every other reason is one of the exchange', async () => {
    const grants = `${root}src/endpoint/grants`
    const sources = ['token_exchange.ts', 'profiles/workload_identity.ts']
    const texts = await Promise.all(sources.map((file) => readFile(`${grants}/${file}`, 'utf8')))
    const reasons = firstColumn(pageOf(REFUSALS), 'reason')
    expect(reasons.length).toBeGreaterThan(4)
    expect(reasons.filter((each) => !texts.join().includes(`'${each}'`))).toEqual([])
  })
})

describe('settings', () => {
  const policySettings = settingsOf(policySchema as Schema)
  const allSettings = [...settingsOf(configSchema as Schema), ...policySettings]
  const ofProviders = allSettings.flatMap(
    (path) => /^authority\.tenants\[\]\.providers(\[\]\..+)$/.exec(path)?.[1] ?? [],
  )

  /** Words of the platforms and of the wire, which look like settings of ours. */
  const others = new Set([
    'requestedAccessTokenVersion',
    'principalId',
    'expirationSeconds',
    'code',
  ])
  const isSetting = (name: string): boolean => {
    const ends = name.replaceAll('[]', '')
    return allSettings.some((path) => `.${path.replaceAll('[]', '')}`.endsWith(`.${ends}`))
  }

  /** The name of a setting that a text in backticks is taken for; undefined: it is something else. */
  function settingIn(code: string): string | undefined {
    const [, name = code, value] = /^([A-Za-z.[\]]+): (.+)$/.exec(code) ?? []
    if (value !== undefined || /^[a-z]+[A-Z][A-Za-z]*$/.test(name)) return name
    const [section = ''] = name.split('.')
    return /^[a-z][A-Za-z[\]]*(\.[a-z][A-Za-z[\]]*)+$/.test(name) && isSetting(section)
      ? name
      : undefined
  }

  test.each(PAGES)('%s names none that there is not', (path) => {
    const names = pageOf(path).code.flatMap((code) => settingIn(code) ?? [])
    expect(names.filter((name) => !others.has(name) && !isSetting(name))).toEqual([])
  })

  test.each(PAGES)('%s lists none that there is not', (path) => {
    expect(firstColumn(pageOf(path), 'setting').filter((name) => !isSetting(name))).toEqual([])
  })

  test.each([
    ['a policy', 'policy', [POLICY], policySettings],
    ['a provider', 'provider', PROVIDERS, ofProviders],
  ])('every one of %s stands in an example', (_name, wanted, paths, settings) => {
    const known = new Set(settings)
    const blocks = paths.flatMap((path) => pageOf(path).blocks)
    const shown = blocks
      .filter(({ mark }) => mark === wanted)
      .flatMap(({ text }) => settingsIn(parse(text), known))
    expect([...known.difference(new Set(shown))]).toEqual([])
  })
})

test.each(PAGES)('the links of %s lead somewhere', async (path) => {
  const broken: string[] = []
  for (const link of linksOf(pageOf(path))) {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : normalize(join(path, '..', file))
    const page = await readPage(target).catch(() => undefined)
    if (!page || (anchor !== undefined && !anchorsOf(page).includes(anchor))) broken.push(link)
  }
  expect(broken).toEqual([])
})
