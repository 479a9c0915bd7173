import { runCommand } from '../../src/cli/commands.ts'

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line of the program in this process, with a terminal-less output that is kept, and nobody asking it to end. */
export async function runInProcess(
  given: readonly string[],
  around: {
    readonly workingFolder: string
    readonly environment?: Record<string, string>
    /** Standard input. */
    readonly input?: string
  },
): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const exitCode = await runCommand({
    arguments: given,
    environment: around.environment ?? {},
    workingFolder: around.workingFolder,
    stdout: {
      isTTY: false,
      write: (text) => {
        stdout += text
      },
    },
    stderr: {
      write: (text) => {
        stderr += text
      },
    },
    readInput: () => Promise.resolve(Buffer.from(around.input ?? '')),
    asked: new Promise(() => {}),
  })
  return { exitCode, stdout, stderr }
}
