import { UsageFault, type Io } from './io.ts'

/** A variable of the environment. Empty counts as not there: that is how a manifest writes what it leaves out. */
export function variable(name: string, { environment }: Io): string | undefined {
  const value = environment[name]
  return value === '' ? undefined : value
}

/**
 * The configuration that a command works with: `--config`, or the one that the environment names.
 * @throws UsageFault
 */
export function configFileOf(given: string | undefined, io: Io): string {
  const file = given ?? variable('LUMO_CONFIG', io)
  if (file === undefined) throw new UsageFault('--config must be given')
  return file
}
