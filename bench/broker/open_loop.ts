import { text } from 'node:stream/consumers'
import type { OpenLoopFigures, OpenLoopOrder } from '../load/open_loop.ts'
import { spawnProcess, type SpawnOptions } from '../processes.ts'
import { LOAD_CORE } from './settings.ts'

/** Runs a program of `bench/load` with its order, and reads what it prints. */
export async function runLoad<Figures>(
  program: 'open_loop' | 'bad_caller',
  order: object,
  options: SpawnOptions = {},
): Promise<Figures> {
  const { process: child } = spawnProcess(
    // Fewer collections of garbage, for each delays what is to be sent.
    [
      process.execPath,
      '--max-semi-space-size=32',
      `bench/load/${program}.ts`,
      JSON.stringify(order),
    ],
    { core: LOAD_CORE, ...options },
  )
  const printed = await text(child.stdout)
  if (printed === '') throw new Error(`bench/load/${program}.ts printed nothing`)
  return JSON.parse(printed) as Figures
}

/** Asks at a fixed rate for a cached token. */
export function openLoop(
  url: string,
  {
    headers,
    ...pace
  }: Pick<OpenLoopOrder, 'perSecond' | 'seconds'> & { readonly headers: readonly string[] },
): Promise<OpenLoopFigures> {
  const { host, hostname, port, pathname, search } = new URL(url)
  const head = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...headers]
  return runLoad<OpenLoopFigures>('open_loop', {
    ...pace,
    peer: { host: hostname, port: Number(port) },
    request: `${head.join('\r\n')}\r\n\r\n`,
  } satisfies OpenLoopOrder)
}
