import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** A server that a bench started. */
export interface Started {
  readonly process: ChildProcess
  stop(): Promise<void>
}

export interface SpawnOptions {
  readonly core?: number
  /** How far it steps back for others on its core: 19 for a load that must not delay what measures. */
  readonly nice?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a process, pinned to a core where one is named. */
export function spawnProcess(
  command: readonly string[],
  { core, nice, env }: SpawnOptions = {},
): Started & { readonly process: ChildProcessByStdio<null, Readable, null> } {
  const [program = '', ...args] = [
    ...(core === undefined ? [] : ['taskset', '-c', String(core)]),
    ...(nice === undefined ? [] : ['nice', '-n', String(nice)]),
    ...command,
  ]
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.resume()
  return {
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Starts a process and waits for a line of its output. */
export async function start(
  command: readonly string[],
  ready: (line: string) => boolean,
  options: SpawnOptions = {},
): Promise<Started> {
  const started = spawnProcess(command, options)
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: started.process.stdout }).on('line', (line) => {
      if (ready(line)) resolve()
    })
    started.process.once('exit', (code) => {
      reject(new Error(`${command.join(' ')} ended with ${String(code)}`))
    })
  })
  return started
}

/** The first of some ports in a row that are free at this moment. */
export async function freePorts(count: number): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  const first = typeof address === 'object' && address ? address.port : 0
  return first + count < 65_500 ? first : freePorts(count)
}
