import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type RunningBroker } from '../../src/compose/broker.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { BrokerConfig } from '../../src/config/config.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { guardValue } from './drop_in.ts'
import type { FakeLog } from './log.ts'
import { ISSUER, type Peopled } from './peopled_authority.ts'
import type { Json } from './running_authority.ts'
import { testSurroundings } from './surroundings.ts'

export interface ComposedBroker {
  readonly running: RunningBroker
  readonly host: string
  readonly port: number
  readonly log: FakeLog
  metrics(): Promise<string>
  stop(): Promise<void>
}

export interface ComposedWish {
  /** Laid over the section `broker`. */
  readonly broker?: Json
  readonly issuer?: string
  /** That of the authority, where time is to pass; the real one otherwise. */
  readonly clock?: Clock
  /** Laid over what was resolved: for a broker in the process of its authority, which has one configuration with it. */
  readonly within?: Partial<BrokerConfig>
}

/** A broker as it is composed for a process: a sidecar in a pod of an agent, before an authority that runs already. */
export async function runBroker(
  authority: Pick<Peopled, 'port' | 'proofOf' | 'running'>,
  agent: string,
  { broker = {}, issuer = ISSUER, clock, within }: ComposedWish = {},
): Promise<ComposedBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'broker-'))
  const file = join(folder, 'token')
  await writeFile(file, await authority.proofOf(agent))
  const { broker: config } = resolveConfig(
    {
      roles: ['broker'],
      broker: {
        listen: ['127.0.0.1:0'],
        authority: { url: `http://127.0.0.1:${String(authority.port)}`, tenant: 'acme-corp' },
        proof: { file, audience: issuer },
        dropIn: { secret: guardValue },
        ...broker,
      },
    },
    {},
  )
  if (!config) throw new Error('the document has no broker')
  const surroundings = testSurroundings(clock)
  const running = within
    ? await startBroker(
        { ...config, remote: undefined, ...within },
        authority.running,
        surroundings,
      )
    : await startBroker(config, undefined, surroundings)
  const host = running.addresses[0] ?? ''
  return {
    running,
    host,
    port: Number(host.split(':')[1]),
    log: surroundings.log,
    metrics: () => surroundings.metrics.text(),
    stop: async () => {
      await running.stop(0)
      await rm(folder, { recursive: true })
    },
  }
}
