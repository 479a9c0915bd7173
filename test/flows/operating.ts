import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runInProcess } from '../fakes/io.ts'
import { argumentsOf, type Filling } from './seed_page.ts'

/** What a command of a page printed. */
interface Operated {
  /** Its first two words, such as `users add`. */
  readonly command: string
  readonly stdout: string
}

/**
 * Runs the commands of a block beside a running authority, as its operator does. Where the page leaves the tenant out because
 * there is one, it is said here, for the authorities of tests have two.
 */
export async function operate(
  text: string,
  folder: string,
  filling: Filling = {},
): Promise<readonly Operated[]> {
  await copyFile(join(folder, 'lumo.json'), join(folder, 'lumo.yaml'))
  const done: Operated[] = []
  for (const line of text.trim().split('\n')) {
    const given = argumentsOf(line.replace(/^lumo-broker /, 'curl '), filling)
    const tenant = given.includes('--tenant') ? [] : ['--tenant', 'acme-corp']
    const { exitCode, stdout, stderr } = await runInProcess([...given, ...tenant], {
      workingFolder: folder,
    })
    expect({ line, exitCode, stderr }).toEqual({ line, exitCode: 0, stderr: '' })
    done.push({ command: given.slice(0, 2).join(' '), stdout })
  }
  return done
}
