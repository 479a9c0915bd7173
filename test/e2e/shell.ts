import { spawn } from 'node:child_process'

export interface ShellResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ShellOptions {
  readonly input?: string
  readonly timeoutMs?: number
  readonly workingFolder?: string
}

const TIMEOUT_MS = 300_000

/** Runs a program to its end; a code other than 0 is an answer like any other. */
export function attempt(
  command: readonly string[],
  options: ShellOptions = {},
): Promise<ShellResult> {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? TIMEOUT_MS,
    ...(options.workingFolder !== undefined && { cwd: options.workingFolder }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code: code ?? -1, stdout, stderr })
    })
  })
}

/**
 * Runs a program that has to succeed, and returns what it printed.
 * @throws Error with all that it printed when it does not
 */
export async function shell(
  command: readonly string[],
  options: ShellOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, options)
  if (code === 0) return stdout
  throw new Error(
    `${command.slice(0, 6).join(' ')} … ended with ${String(code)}\n${stdout}${stderr}`,
  )
}
