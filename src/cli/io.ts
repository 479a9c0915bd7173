/** What a command gets of the process that it runs in. */
export interface Io {
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingFolder: string
  readonly stdout: { readonly isTTY: boolean; write(text: string): void }
  readonly stderr: { write(text: string): void }
  /**
   * All of standard input.
   * @throws OperatorFault when it is longer than `maxBytes`
   */
  readInput(maxBytes: number): Promise<Buffer>
  /** Resolves when the process is asked to end (SIGINT, SIGTERM). */
  readonly asked: Promise<void>
}

/** Exit codes: 0 done, 1 something the operator has to mend, 2 a command that does not exist. */
export type ExitCode = 0 | 1 | 2

/** The command line is wrong. The message says how. */
export class UsageFault extends Error {}
