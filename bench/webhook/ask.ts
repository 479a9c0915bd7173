import { Agent, request } from 'node:https'
import type { Asked } from './world.ts'

/** Connections at once; an API server has few. */
const AT_ONCE = 2

/** Asks again and again over connections that stay; the milliseconds of each answer. Anything but 200 is an error. */
export async function askAgain(
  { port }: Asked,
  { body, times, ca }: { readonly body: Buffer; readonly times: number; readonly ca: string },
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE, ca })
  const took: number[] = []
  const worker = async (): Promise<void> => {
    while (took.length < times) {
      const begun = performance.now()
      await post({ agent, port, body })
      took.push(performance.now() - begun)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return took
  } finally {
    agent.destroy()
  }
}

function post({
  agent,
  port,
  body,
}: {
  readonly agent: Agent
  readonly port: number
  readonly body: Buffer
}): Promise<void> {
  const headers = { 'content-type': 'application/json', 'content-length': body.byteLength }
  return new Promise((resolve, reject) => {
    request(
      { agent, host: '127.0.0.1', port, path: '/mutate?timeout=10s', method: 'POST', headers },
      (answer) => {
        answer.resume()
        answer.once('end', () => {
          if (answer.statusCode === 200) resolve()
          else reject(new Error(`answered with ${String(answer.statusCode)}`))
        })
      },
    )
      .once('error', reject)
      .end(body)
  })
}

export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
