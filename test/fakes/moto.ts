import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const VERSION = '5.2.5'
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/moto', VERSION)
const PACKAGES = [`moto==${VERSION}`, 'flask==3.1.3', 'flask-cors==6.0.5']

/** moto, an AWS double of other people's making, as a server on the loopback. */
export interface MotoServer {
  readonly origin: string
  readonly close: () => void
}

/** Why there is no moto here; undefined when there is one. */
export function motoMissing(): string | undefined {
  return existsSync(CACHE)
    ? undefined
    : 'moto is not installed: node scripts/install_moto.ts does that'
}

/**
 * Installs moto for Python beside what npm installs, unless it is there.
 * @throws Error when there is no Python with pip, or the registry cannot be reached
 */
export async function installMoto(): Promise<void> {
  if (existsSync(CACHE)) return
  const partial = `${CACHE}.${String(process.pid)}`
  const options = ['--no-compile', '--no-input', '--disable-pip-version-check', '--quiet']
  const patience = ['--retries', '2', '--timeout', '30']
  const pip = ['-m', 'pip', 'install', ...options, ...patience, '--target', partial, ...PACKAGES]
  try {
    await mkdir(partial, { recursive: true })
    await promisify(execFile)('python3', pip, { timeout: 600_000 })
    // In one step, so that what is there is whole.
    await rename(partial, CACHE)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** Starts a server with no accounts, roles or users but those of moto itself. Resolves when it listens. */
export async function startMoto(): Promise<MotoServer> {
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    env: { PATH: process.env['PATH'], PYTHONPATH: CACHE, HOME: process.env['HOME'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return { origin: await originOf(child), close: () => child.kill() }
}

async function originOf(child: ChildProcess): Promise<string> {
  const said: string[] = []
  if (child.stderr) {
    for await (const line of createInterface(child.stderr)) {
      said.push(line)
      const origin = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
      if (origin !== undefined) return origin
    }
  }
  throw new Error(`moto did not start: ${said.join(' ')}`)
}
