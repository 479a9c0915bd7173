import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { distances, placesFrom, type Places } from '../../examples/world/places.ts'
import { runInProcess } from '../fakes/io.ts'
import { freePorts } from '../fakes/ports.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The first port of the world that the pages describe. */
const SHOWN_FIRST = 9170

/** How a command ended, and what it printed until then. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command, running as in a terminal of a reader. */
interface Command {
  /** Resolves with all that it printed once this is there; rejects when it ends without. */
  says(text: string): Promise<string>
  printed(): string
  readonly ended: Promise<Outcome>
  end(): Promise<Outcome>
}

/** `npm run examples`, in a folder in which the commands of the pages can be run. */
export interface ExamplesWorld {
  readonly places: Places
  readonly folder: string
  /** What it printed when it was ready. */
  readonly welcome: string
  /** Runs a block of a page, for where this world listens. */
  run(text: string): Command
  /** A text with the ports that the pages show. */
  asOnThePage(text: string): string
  /** All that every command has printed so far. */
  printed(): readonly string[]
  /** As an operator does, beside the authority. */
  operate(...given: readonly string[]): Promise<string>
  stop(): Promise<void>
}

export async function openExamples(): Promise<ExamplesWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-examples-'))
  await symlink(join(root, 'examples'), join(folder, 'examples'))
  const first = await freePorts(distances)
  const commands: Command[] = []
  const run = (text: string): Command => {
    const command = startCommand(text, folder)
    commands.push(command)
    return command
  }
  const world = run(`${await scriptOf('examples')} --first-port ${String(first)}`)
  return {
    places: placesFrom(first),
    folder,
    welcome: await world.says('Ctrl-C ends it.'),
    run: (text) => run(moved(text, first)),
    asOnThePage: (text) => shown(text, first),
    printed: () => commands.map((command) => command.printed()),
    operate: async (...given) => {
      const config = ['--config', '.lumo/examples/authority.json']
      const outcome = await runInProcess([...given, ...config], { workingFolder: folder })
      if (outcome.exitCode !== 0) throw new Error(outcome.stderr)
      return outcome.stdout
    },
    stop: async () => {
      await Promise.all(commands.map((command) => command.end()))
      await rm(folder, { recursive: true })
    },
  }
}

/** What npm runs for a script of that name. */
async function scriptOf(name: string): Promise<string> {
  const text = await readFile(join(root, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(text) as { readonly scripts: Readonly<Record<string, string>> }
  return scripts[name] ?? ''
}

/** A command of a page whose ports are those of another world. */
function moved(text: string, first: number): string {
  return text.replaceAll(/\b(127\.0\.0\.1:|PORT=)(9\d{3})\b/g, (_, before: string, port: string) =>
    before.concat(String(Number(port) - SHOWN_FIRST + first)),
  )
}

function shown(text: string, first: number): string {
  return text.replaceAll(/(127\.0\.0\.1:)(\d+)/g, (_, before: string, port: string) =>
    before.concat(String(Number(port) - first + SHOWN_FIRST)),
  )
}

function startCommand(text: string, folder: string): Command {
  // A group of its own: a shell need not hand a signal on to what it runs.
  const child = spawn('sh', ['-c', text], {
    cwd: folder,
    env: {
      HOME: process.env['HOME'],
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      // Not into the folder of the examples.
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const hear = (add: (text: string) => void) => (text: string) => {
    add(text)
    for (const wake of waiting) wake()
  }
  child.stdout.setEncoding('utf8').on(
    'data',
    hear((text) => (stdout += text)),
  )
  child.stderr.setEncoding('utf8').on(
    'data',
    hear((text) => (stderr += text)),
  )
  const ended = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
  return {
    printed: () => stdout + stderr,
    ended,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const wake = (): void => {
          if ((stdout + stderr).includes(wanted)) resolve(stdout + stderr)
        }
        waiting.add(wake)
        wake()
        void ended.then(() => {
          reject(new Error(`it ended without "${wanted}":\n${stdout}\n${stderr}`))
        })
      }),
    end: () => {
      const isRunning = child.exitCode === null && child.signalCode === null
      if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      return ended
    },
  }
}
