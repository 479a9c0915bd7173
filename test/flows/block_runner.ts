import { execFile } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Block } from './pages.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const PATH = `${process.env['PATH'] ?? ''}:/usr/local/go/bin`

/** A language that blocks are written in: the ending of its files, and what runs one. */
interface Language {
  readonly ending: string
  readonly command: readonly [string, ...string[]]
}

const languages: Readonly<Record<string, Language>> = {
  sh: { ending: 'sh', command: ['sh'] },
  python: { ending: 'py', command: ['python3'] },
  js: { ending: 'mjs', command: [process.execPath] },
  go: { ending: 'go', command: ['go', 'run'] },
}

/** What shows whether a machine has what a block needs; undefined: every machine has it. */
function needOf({ language, text }: Block): readonly [string, ...string[]] | undefined {
  if (language === 'go') return ['go', 'version']
  if (language !== 'python') return undefined
  return ['python3', '-c', text.includes('import requests') ? 'import requests' : 'import ssl']
}

/** What this machine lacks for a block, in words; undefined: nothing. */
export async function lackFor(block: Block): Promise<string | undefined> {
  const need = needOf(block)
  if (!need) return undefined
  const [program, ...args] = need
  return run(program, args, { env: { ...process.env, PATH } }).then(
    () => undefined,
    () => `"${program} ${args.join(' ')}" fails here`,
  )
}

/** Makes a folder one in which blocks can be run: with the program as `lumo-broker`, and the libraries of Node. */
export async function prepare(folder: string): Promise<void> {
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await mkdir(join(folder, 'bin'))
  const program = join(folder, 'bin/lumo-broker')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${root}src/main.ts' "$@"\n`)
  await chmod(program, 0o755)
}

/** Runs a text as a reader does who copies it, and gives what it prints. */
export async function runBlock(
  { language, text }: Pick<Block, 'language' | 'text'>,
  name: string,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const known = languages[language]
  if (!known) throw new Error(`nothing runs ${language}`)
  const file = join(folder, `${name}.${known.ending}`)
  await writeFile(file, text)
  const [program, ...args] = known.command
  const { stdout } = await run(program, [...args, file], {
    cwd: folder,
    env: {
      HOME: process.env['HOME'],
      PATH: `${join(folder, 'bin')}:${PATH}`,
      // A compiler is not fetched for this.
      GOTOOLCHAIN: 'local',
      ...environment,
    },
  })
  return stdout
}

/** Longer than any run takes, for outputs that say how many seconds are left. */
const SECONDS = 600

/** Whether a shown output is what was printed. In it `…` stands for part of a line, and on a line of its own for lines. */
export function isShown({ language, text }: Block, printed: string): boolean {
  if (language !== 'json') {
    const parts = text.split(/^ *…\n/m).map(sourceOf)
    return new RegExp(`^${parts.join('(?:.*\\n)*?')}$`).test(printed)
  }
  if (!printed.startsWith('{')) return false
  const shown = JSON.parse(text) as Readonly<Record<string, unknown>>
  const given = JSON.parse(printed) as Readonly<Record<string, unknown>>
  if (Object.keys(shown).join() !== Object.keys(given).join()) return false
  return Object.entries(shown).every(([name, one]) => {
    const other = given[name]
    if (typeof one === 'number') return Math.abs(one - Number(other)) < SECONDS
    return typeof other === 'string' && new RegExp(`^${sourceOf(String(one))}$`).test(other)
  })
}

/** A pattern for a text in which `…` stands for whatever is on the line but a quote. */
function sourceOf(text: string): string {
  const parts = text.split('…').map((part) => RegExp.escape(part))
  return parts.join('[^"\\n]*')
}
