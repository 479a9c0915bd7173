import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/**
 * Makes room for a Unix socket: one that a killed process left behind goes. Anything else in its place is somebody's file, and
 * one that a process stands behind is that process's: a second broker would take away the callers of the first.
 * Gives what is in the way, for a sentence that begins with the path, or undefined.
 */
export async function clearSocketPath(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isSocket()) return `${path}: something else lies there`
    if (await isListenedOn(path)) {
      return `${path}: another program already does; end it, or choose another path`
    }
    await unlink(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    if (code !== 'ENOENT') return `${path} (${code})`
  }
  return undefined
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Only these two say that nobody is there. EAGAIN is somebody who has no time: its queue of connections is full.
    probe.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}
