import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const oxlint = join(root, 'node_modules/.bin/oxlint')

let copy: string

/** A copy of the source under the same rules, but for those that need types, which say nothing about layers. */
beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'lumo-lint-'))
  const rules = await readRules()
  const untyped = { ...rules, options: { ...rules.options, typeAware: false } }
  await writeFile(join(copy, '.oxlintrc.json'), JSON.stringify(untyped))
  await cp(join(root, 'src'), join(copy, 'src'), { recursive: true })
})

afterEach(() => rm(copy, { recursive: true }))

interface Rules {
  readonly options?: object
  readonly overrides: readonly { readonly files: readonly string[] }[]
}

async function readRules(): Promise<Rules> {
  return JSON.parse(await readFile(join(root, '.oxlintrc.json'), 'utf8')) as Rules
}

const foldersOf = async () =>
  (await readdir(join(root, 'src'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)

interface Report {
  readonly diagnostics: readonly {
    readonly code: string
    readonly filename: string
    readonly message: string
  }[]
}

async function lint() {
  const text = await new Promise<string>((resolve) => {
    // The exit code says that there are violations, and they are read below.
    execFile(oxlint, ['--format', 'json'], { cwd: copy, maxBuffer: 1e8 }, (_error, stdout) => {
      resolve(stdout)
    })
  })
  return (JSON.parse(text) as Report).diagnostics
}

/** Rule and file of every violation, in order. */
const violations = async () =>
  (await lint()).map(({ code, filename }) => `${filename}: ${code}`).toSorted()

/** Writes a file of the source that imports these. */
function plant(file: string, imports: readonly string[]): Promise<void> {
  const lines = imports.map((name, index) => `export * as planted${String(index)} from '${name}'`)
  return writeFile(join(copy, 'src', file), `${lines.join('\n')}\n`)
}

const RESTRICTED = 'eslint(no-restricted-imports)'

test('the source has no violation', async () => {
  expect(await violations()).toEqual([])
})

describe('the rule fires', () => {
  test('for all of the platform but strict JSON, where oauth stands', async () => {
    await plant('oauth/planted.ts', ['../platform/clock.ts'])
    await plant('oauth/planted_too.ts', ['../platform/strict_json.ts'])
    expect(await violations()).toEqual([`src/oauth/planted.ts: ${RESTRICTED}`])
  })

  test("for all of the policy but the broker's own, where the broker stands", async () => {
    await plant('broker/planted.ts', ['../policy/policy.ts'])
    await plant('broker/planted_too.ts', ['../policy/local/rule.ts'])
    expect(await violations()).toEqual([`src/broker/planted.ts: ${RESTRICTED}`])
  })

  test('for what is planted, and for nothing else', async () => {
    await plant('oauth/planted.ts', ['../broker/errors.ts'])
    await plant('endpoint/planted.ts', ['../broker/errors.ts'])
    await plant('broker/planted.ts', ['../exchange/remote.ts'])
    await plant('policy/planted_one.ts', ['./planted_two.ts'])
    await plant('policy/planted_two.ts', ['./planted_one.ts'])
    expect(await violations()).toEqual([
      `src/broker/planted.ts: ${RESTRICTED}`,
      `src/endpoint/planted.ts: ${RESTRICTED}`,
      `src/oauth/planted.ts: ${RESTRICTED}`,
      'src/policy/planted_one.ts: import(no-cycle)',
      'src/policy/planted_two.ts: import(no-cycle)',
    ])
  })

  test.each([
    [
      'a type',
      "import type { BrokerError } from '../broker/errors.ts'\nexport type A = BrokerError\n",
    ],
    ['a name', "import { BrokerError } from '../broker/errors.ts'\nexport const a = BrokerError\n"],
    ['what is passed on', "export { BrokerError } from '../broker/errors.ts'\n"],
    ['all that is passed on', "export * from '../broker/errors.ts'\n"],
    ['the effect alone', "import '../broker/errors.ts'\n"],
  ])('for an import of %s', async (_name, text) => {
    await writeFile(join(copy, 'src/oauth/planted.ts'), text)
    expect(await violations()).toEqual([`src/oauth/planted.ts: ${RESTRICTED}`])
  })

  const concrete = [
    'verifier/kubernetes/claims',
    'verifier/aws/aws_request',
    'verifier/registry',
    'verifier/token',
    'verifier/keys/remote_keys',
    'verifier/keys/fetch_keys',
    'store/memory',
    'store/sqlite',
    'exchange/in_process',
    'exchange/remote',
  ]
  test.each(['endpoint', 'broker'])('where %s names what only compose may', async (folder) => {
    for (const [index, name] of concrete.entries()) {
      await plant(`${folder}/planted_${String(index)}.ts`, [`../${name}.ts`])
    }
    expect(await violations()).toEqual(
      concrete.map((_name, index) => `src/${folder}/planted_${String(index)}.ts: ${RESTRICTED}`),
    )
  })

  /** From the bottom up; what stands on one level may or may not see its neighbours. */
  const levels = [
    ['platform', 'oauth', 'config'],
    ['verifier', 'policy', 'cache', 'exchange', 'store'],
    ['audit'],
    ['endpoint', 'broker', 'ops', 'doctor'],
    ['compose'],
    ['cli'],
  ]
  const levelOf = (folder: string) => levels.findIndex((level) => level.includes(folder))
  /** Directions that the levels leave open. */
  const closed = new Set([
    'endpoint>broker',
    'broker>endpoint',
    'ops>endpoint',
    'ops>broker',
    'doctor>broker',
    'broker>doctor',
  ])

  test('for every import that goes up, and for none that goes down to the leaves', async () => {
    const folders = levels.flat()
    const imports = folders.flatMap((from) =>
      folders.filter((to) => to !== from).map((to) => ({ from, to })),
    )
    const file = ({ from, to }: { from: string; to: string }) => `${from}/planted_${to}.ts`
    for (const each of imports) await plant(file(each), [`../${each.to}/anything.ts`])
    const reported = new Set((await lint()).map(({ filename }) => filename))
    const wrong = imports.filter((each) => {
      const { from, to } = each
      const fired = reported.has(`src/${file(each)}`)
      const goesUp = levelOf(to) > levelOf(from) || closed.has(`${from}>${to}`)
      const goesToALeaf = levelOf(from) > 0 && levelOf(to) === 0
      return goesUp ? !fired : goesToALeaf && fired
    })
    expect(wrong).toEqual([])
  })

  test('for every import of the laptop code, but from the command line', async () => {
    const folders = levels.flat()
    for (const folder of folders) await plant(`${folder}/planted.ts`, ['../dev/cluster.ts'])
    expect(await violations()).toEqual(
      folders
        .filter((folder) => folder !== 'cli')
        .map((folder) => `src/${folder}/planted.ts: ${RESTRICTED}`)
        .toSorted(),
    )
  })
})

describe('no folder escapes', () => {
  test('every one of the source has rules of its own, but the topmost', async () => {
    const { overrides } = await readRules()
    const ruled = new Set(overrides.flatMap(({ files }) => files))
    const free = (await foldersOf()).filter((folder) => !ruled.has(`src/${folder}/**`))
    expect(free).toEqual(['cli'])
  })

  test('every rule is for a folder that is there', async () => {
    const { overrides } = await readRules()
    const ruled = overrides
      .flatMap(({ files }) => files)
      .flatMap((file) => /^src\/(.+)\/\*\*$/.exec(file)?.[1] ?? [])
    expect(ruled.toSorted()).toEqual((await foldersOf()).filter((name) => name !== 'cli'))
  })

  test('every one is closed to some other', async () => {
    const text = JSON.stringify((await readRules()).overrides)
    const open = (await foldersOf()).filter((folder) => !text.includes(`"**/${folder}/**"`))
    expect(open).toEqual([])
  })

  test('nothing lies beside the folders but the start of the program', async () => {
    const entries = await readdir(join(root, 'src'), { withFileTypes: true })
    expect(entries.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(['main.ts'])
  })

  test('what is loaded when it is needed, which the rule does not see, lies in the same folder', async () => {
    const names = await readdir(join(root, 'src'), { recursive: true })
    const files = names.filter((name) => name.endsWith('.ts'))
    const loaded = await Promise.all(
      files.map(async (name) => {
        const text = await readFile(join(root, 'src', name), 'utf8')
        return [...text.matchAll(/\bimport\(\s*([^)]*?)\s*\)/g)].map(([, target]) => target)
      }),
    )
    const own = /^'\.\/[a-z_]+\.ts'$/
    const libraries = new Set([
      "'pino-pretty'",
      "'undici'",
      "'@kubernetes/client-node'",
      "'@aws-sdk/client-sts'",
      "'@smithy/signature-v4'",
      "'@peculiar/x509'",
      "'reflect-metadata'",
    ])
    const elsewhere = loaded.flat().filter((to) => !own.test(to ?? '') && !libraries.has(to ?? ''))
    expect(elsewhere).toEqual([])
    expect(loaded.flat()).toContain("'./run.ts'")
  })
})
