import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { runInProcess, type Ran } from '../fakes/io.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'

type ConfigDocument = { authority: Record<string, unknown> }

/** An operator who runs commands for acme-corp, by the clock of the machine, beside the authority. */
export interface Operator {
  readonly authority: Peopled
  readonly clock: FakeClock
  readonly command: (...given: readonly string[]) => Promise<Ran>
  /** Runs a command that has to succeed; what it printed. */
  readonly done: (...given: readonly string[]) => Promise<string>
  /** Has the configuration say that the authority's clock is off: the clock of the commands to come. */
  readonly setClockOffset: (seconds: number) => Promise<void>
}

/** Starts an authority whose clock is ahead of the machine's by so many seconds. */
export async function operator(aheadSeconds = 0): Promise<Operator> {
  const clock = new FakeClock(Date.now() + aheadSeconds * 1000)
  const authority = await peopledAuthority({ clock })
  const { folder } = authority
  const place = ['--config', 'lumo.json', '--tenant', 'acme-corp']
  const command: Operator['command'] = (...given) =>
    runInProcess([...given, ...place], { workingFolder: folder })
  const setClockOffset: Operator['setClockOffset'] = async (seconds) => {
    const file = join(folder, 'lumo.json')
    const document = JSON.parse(await readFile(file, 'utf8')) as ConfigDocument
    document.authority['clockOffset'] = seconds
    await writeFile(file, JSON.stringify(document))
  }
  if (aheadSeconds !== 0) await setClockOffset(aheadSeconds)
  return {
    authority,
    clock,
    command,
    done: async (...given) => {
      const { exitCode, stdout, stderr } = await command(...given)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      return stdout
    },
    setClockOffset,
  }
}
