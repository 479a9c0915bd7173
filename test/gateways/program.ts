import { spawn, type ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** A program of somebody else's, running. */
export interface Program {
  close(): Promise<void>
}

/**
 * Starts a program and resolves once it says on standard error that it serves.
 * @throws Error with what it said, when it ends before
 */
export async function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  serves: RegExp,
): Promise<Program> {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
  })
  await untilSaid(child, serves)
  return {
    close: async () => {
      child.kill()
      await ended
    },
  }
}

function untilSaid(child: ChildProcess, serves: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = []
    child.once('error', reject)
    child.once('close', () => {
      reject(new Error(`it ended: ${said.join('\n')}`))
    })
    if (!child.stderr) return
    // Read to the end, or the program waits for somebody to read it.
    createInterface(child.stderr).on('line', (line) => {
      said.push(line)
      if (serves.test(line)) resolve()
    })
  })
}

/** Resolves once somebody accepts connections on a port of the loopback. */
export async function untilAccepts(port: number): Promise<void> {
  while (!(await accepts(port)));
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
