import { Agent } from 'node:http'
import { inFlight } from '../paired.ts'
import { ask } from './ask.ts'
import type { Broker } from './world.ts'

const AT_ONCE = 16

/** A program of the pod that asks a sidecar for tokens. */
export class Client {
  readonly #origin: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

  constructor({ origin }: Broker) {
    this.#origin = origin
  }

  /** The seconds that are left of the token for an audience. */
  async get(audience: string): Promise<number> {
    const url = `${this.#origin}/v1/token?audience=${encodeURIComponent(audience)}`
    const body = await ask(url, { headers: { 'Lumo-Broker': 'true' }, agent: this.#agent })
    return (JSON.parse(body) as { expires_in: number }).expires_in
  }

  /** Asks for each once, some at a time. */
  async getAll(audiences: readonly string[]): Promise<void> {
    await inFlight(audiences, AT_ONCE, async (audience) => {
      await this.get(audience)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** So many audiences, whose tokens live for so many seconds. */
export function audiencesOf(count: number, lifeSeconds: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) => `https://service-${String(index)}.example.com/?life=${String(lifeSeconds)}`,
  )
}

/** A counter of a broker's metrics, all that have this label together. */
export async function counted({ operations }: Broker, series: string): Promise<number> {
  const text = await ask(`${operations}/metrics`, { headers: {} })
  const line = text.split('\n').find((one) => one.startsWith(series))
  return Number(line?.split(' ').at(-1) ?? 0)
}

export function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds * 1000)))
}
