import { UsageFault, type Io } from './io.ts'

/** A variable of the environment. Empty counts as not there: that is how a manifest writes what it leaves out. */
export function variable(name: string, { environment }: Io): string | undefined {
  const value = environment[name]
  return value === '' ? undefined : value
}

/** The configuration that the environment names, or holds. */
export function configAround(io: Io): string | undefined {
  const held = variable('LUMO_CONFIG_DOCUMENT', io)
  return (
    variable('LUMO_CONFIG', io) ?? (held === undefined ? undefined : 'env:LUMO_CONFIG_DOCUMENT')
  )
}

/**
 * The configuration that a command works with: `--config`, or the one of the environment.
 * @throws UsageFault
 */
export function configFileOf(given: string | undefined, io: Io): string {
  const file = given ?? configAround(io)
  if (file === undefined) throw new UsageFault('--config must be given')
  return file
}
