import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The program in a process of its own. */
export interface Program {
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with what `find` finds in the output; rejects when the process ends without it. */
  until<Found>(find: (stdout: string, stderr: string) => Found | undefined): Promise<Found>
  readonly exited: Promise<ExitOf>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<ExitOf>
}

interface ExitOf {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A folder of one test's own, and the processes that run in it. Both end with the test. */
export interface Scene {
  readonly folder: string
  readonly at: (name: string) => string
  readonly start: (...given: readonly string[]) => Program
}

export async function openScene(
  onTestFinished: (clean: () => Promise<void>) => void,
): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-flow-'))
  const programs: Program[] = []
  onTestFinished(async () => {
    await Promise.all(programs.map((program) => program.end('SIGKILL')))
    await rm(folder, { recursive: true })
  })
  return {
    folder,
    at: (name) => join(folder, name),
    start: (...given) => {
      const program = startProgram(given, folder)
      programs.push(program)
      return program
    },
  }
}

function startProgram(given: readonly string[], workingFolder: string): Program {
  const child = spawn(process.execPath, [main, ...given], {
    cwd: workingFolder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const wake of waiting) wake()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    look()
  })
  const exited = new Promise<ExitOf>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal })
    })
  })
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    until: <Found>(find: (stdout: string, stderr: string) => Found | undefined) =>
      new Promise<Found>((resolve, reject) => {
        const wake = (): void => {
          const found = find(stdout, stderr)
          if (found === undefined) return
          waiting.delete(wake)
          resolve(found)
        }
        waiting.add(wake)
        wake()
        void exited.then(({ code }) => {
          reject(new Error(`it ended with ${String(code)}:\n${stdout}\n${stderr}`))
        })
      }),
    exited,
    end: (signal) => {
      child.kill(signal)
      return exited
    },
  }
}

/** Asks again and again until the answer is as it should be. */
export async function poll<Answer>(
  ask: () => Promise<Answer>,
  isRight: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    await pause(50)
  }
}

/** How a process ended, or that it did not, long after it had every reason to. */
export function endOf(program: Program): Promise<ExitOf | 'still running'> {
  const patience = pause(40_000, 'still running' as const, { ref: false })
  return Promise.race([program.exited, patience])
}
