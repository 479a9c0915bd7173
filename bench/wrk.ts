import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Load {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Loads a URL for some seconds from one core. A single answer other than 2xx makes the figures worthless, and is an error. */
export async function wrk(
  url: string,
  options: { readonly seconds: number; readonly core: number; readonly headers: readonly string[] },
): Promise<Load> {
  const headers = options.headers.flatMap((header) => ['-H', header])
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    String(options.core),
    'wrk',
    '-t1',
    '-c16',
    `-d${String(options.seconds)}s`,
    '--latency',
    ...headers,
    url,
  ])
  if (stdout.includes('Non-2xx') || stdout.includes('Socket errors')) {
    throw new Error(`wrk met errors:\n${stdout}`)
  }
  return {
    requestsPerSecond: figure(stdout, /Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(stdout, '50%'),
    p99Ms: milliseconds(stdout, '99%'),
  }
}

function figure(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN)
}

function milliseconds(text: string, share: string): number {
  const match = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)\\b`).exec(text)
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? 'ms'] ?? 1
  return Number(match?.[1]) * factor
}
