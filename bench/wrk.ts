import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Load {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Gets {
  readonly seconds: number
  readonly core: number
  readonly headers: readonly string[]
  /** A program in Lua that says what is sent. */
  readonly script?: string
}

/** Loads a URL for some seconds from one core. A single answer other than 2xx makes the figures worthless, and is an error. */
export async function wrk(url: string, options: Gets): Promise<Load> {
  const headers = options.headers.flatMap((header) => ['-H', header])
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    String(options.core),
    'wrk',
    '-t1',
    '-c16',
    `-d${String(options.seconds)}s`,
    '--latency',
    ...(options.script === undefined ? [] : ['-s', options.script]),
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

interface Posts {
  readonly core: number
  readonly headers: readonly string[]
}

/** Posts one body again and again. Requests per second; a single answer other than 2xx is an error. */
export async function wrkPosts(
  url: string,
  {
    seconds,
    core,
    headers,
    body,
    contentType = 'application/x-www-form-urlencoded',
  }: Posts & { readonly seconds: number; readonly body: string; readonly contentType?: string },
): Promise<number> {
  const script = `wrk.method = "POST"
wrk.body = ${JSON.stringify(body)}
wrk.headers["Content-Type"] = ${JSON.stringify(contentType)}
`
  return runScript(url, script, { seconds, core, headers })
}

/**
 * Refreshes as clients do: each request has a refresh token that an answer before it gave. The tokens that are left at the
 * end of a run are what the next begins with.
 */
export function wrkRefreshes(
  url: string,
  { core, headers }: Posts,
  first: readonly string[],
): (seconds: number) => Promise<number> {
  let tokens = first
  return async (seconds) => {
    const folder = await mkdtemp(join(tmpdir(), 'lumo-wrk-'))
    const left = join(folder, 'left')
    const script = `wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
local free = {${tokens.map((token) => JSON.stringify(token)).join(',')}}
local head, tail = 1, #free
function request()
  local token = free[head]
  free[head] = nil
  head = head + 1
  return wrk.format("POST", nil, nil, "grant_type=refresh_token&refresh_token=" .. token)
end
local file = io.open(${JSON.stringify(left)}, "w")
function response(status, headers, body)
  local token = string.match(body, '"refresh_token":"([^"]+)"')
  if token then
    tail = tail + 1
    free[tail] = token
    file:write(token, "\\n")
    file:flush()
  end
end
`
    try {
      const rate = await runScript(url, script, { seconds, core, headers })
      const given = (await readFile(left, 'utf8')).split('\n').filter((line) => line !== '')
      // Those that were under way when the run ended are lost; the newest of the rest were given last.
      tokens = [...tokens, ...given].slice(given.length + CONNECTIONS)
      return rate
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

const CONNECTIONS = 16

async function runScript(
  url: string,
  script: string,
  { seconds, core, headers }: Posts & { readonly seconds: number },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-wrk-'))
  try {
    const file = join(folder, 'post.lua')
    await writeFile(file, script)
    const { stdout } = await promisify(execFile)('taskset', [
      '-c',
      String(core),
      'wrk',
      '-t1',
      `-c${String(CONNECTIONS)}`,
      `-d${String(seconds)}s`,
      '-s',
      file,
      ...headers.flatMap((header) => ['-H', header]),
      url,
    ])
    if (stdout.includes('Non-2xx') || stdout.includes('Socket errors')) {
      throw new Error(`wrk met errors:\n${stdout}`)
    }
    return figure(stdout, /Requests\/sec:\s+([\d.]+)/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
