import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

let outputs: Metafile['outputs']

/** The program as it is built, and beside it the one file that may load the library of the API server. */
beforeAll(async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts', 'src/compose/token_review.ts'],
    outdir: 'dist',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
  })
  outputs = metafile.outputs
})

type Kind = 'import-statement' | 'dynamic-import'

/** Everything that is loaded with an entry, by these kinds of import. */
function loadedWith(entry: string, kinds: readonly Kind[]): readonly string[] {
  const first = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === entry)
  const found = new Set([first ?? ''])
  for (const name of found) {
    for (const { path, kind, external } of outputs[name]?.imports ?? []) {
      if (external !== true && kinds.some((each) => each === kind)) found.add(path)
    }
  }
  return [...found].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}))
}

const isOfTheLibrary = (input: string): boolean => input.includes('/@kubernetes/client-node/')

test.each<[string, readonly Kind[], boolean]>([
  ['src/main.ts', ['import-statement'], false],
  ['src/compose/authority.ts', ['import-statement'], false],
  ['src/compose/broker.ts', ['import-statement', 'dynamic-import'], false],
  ['src/compose/token_review.ts', ['import-statement'], false],
  ['src/compose/token_review.ts', ['import-statement', 'dynamic-import'], true],
])('with %s (%j) the library of the API server is loaded: %s', (entry, kinds, loaded) => {
  const inputs = loadedWith(entry, kinds)
  expect(inputs).toContain(entry)
  expect(inputs.some(isOfTheLibrary)).toBe(loaded)
})

/** What a process with these parts reads; a part that is loaded only when it is needed is named where it is. */
function loadedBy(entries: readonly string[]): readonly string[] {
  return entries.flatMap((entry) => loadedWith(entry, ['import-statement']))
}

const processes = {
  sidecar: ['src/main.ts', 'src/cli/run.ts', 'src/compose/broker.ts'],
  proxy: ['src/main.ts', 'src/cli/run.ts', 'src/compose/broker.ts', 'src/compose/proxy.ts'],
  node: [
    'src/main.ts',
    'src/cli/run.ts',
    'src/compose/broker.ts',
    'src/compose/presented_callers.ts',
  ],
  authority: ['src/main.ts', 'src/cli/run.ts', 'src/compose/authority.ts'],
} as const

test.each<[keyof typeof processes, string, boolean]>([
  ['sidecar', 'src/broker/', true],
  ['sidecar', 'src/endpoint/', false],
  ['sidecar', 'src/store/', false],
  ['sidecar', 'src/audit/', false],
  ['sidecar', 'src/verifier/kubernetes/', false],
  ['sidecar', 'node_modules/jose/', false],
  ['sidecar', 'node_modules/@aws-sdk/', false],
  ['sidecar', 'node_modules/@kubernetes/', false],
  ['sidecar', 'node_modules/pino-pretty/', false],
  ['sidecar', 'node_modules/openid-client/', false],
  ['sidecar', 'node_modules/undici/', false],
  ['sidecar', 'src/broker/proxy/', false],
  ['proxy', 'src/broker/proxy/', true],
  ['proxy', 'node_modules/undici/lib/dispatcher/pool.js', true],
  ['proxy', 'node_modules/undici/index.js', false],
  ['node', 'src/verifier/kubernetes/', true],
  ['node', 'src/endpoint/', false],
  ['node', 'src/store/', false],
  ['node', 'node_modules/@kubernetes/', false],
  ['authority', 'src/endpoint/', true],
  ['authority', 'src/store/', true],
  ['authority', 'node_modules/jose/', true],
  ['authority', 'node_modules/@kubernetes/', false],
  ['authority', 'node_modules/openid-client/', false],
])('a process of the shape %s loads of %s: %s', (shape, part, loaded) => {
  expect(loadedBy(processes[shape]).some((input) => input.startsWith(part))).toBe(loaded)
})
