import { administer, type Administration } from '../compose/administration.ts'
import { systemSurroundings } from '../compose/application.ts'
import type { Log } from '../platform/log.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { ExitCode, Io } from './io.ts'
import { readConfig } from './config_file.ts'

/** A command says what it did on its own output, and a running authority has the log. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Opens the state that a configuration names and lets a command work on it.
 * @throws OperatorFault
 */
export async function withAdministration(
  { config: file, tenant }: { readonly config: string; readonly tenant?: string | undefined },
  io: Io,
  work: (administration: Administration) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { authority } = await readConfig(file, io)
  if (!authority) throw new OperatorFault(`${file} has no authority`)
  return administer(authority, tenant, systemSurroundings(silent, {}), work)
}

/** Says something on standard error that keeps a command from nothing. */
export function warn(io: Io, sentence: string): void {
  io.stderr.write(`lumo-broker: warning: ${sentence}\n`)
}

/** Prints a line. */
export function say(io: Io, line: string): void {
  io.stdout.write(`${line}\n`)
}

/** A moment for people, from Unix seconds. */
export function showTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}
