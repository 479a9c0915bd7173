import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { OwnCertificatesConfig } from '../../../src/config/webhook.ts'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { keepCertificates, type KeptCertificates } from '../../../src/webhook/certificates/keep.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeLog } from '../../fakes/log.ts'
import { FakeClusterObjects } from './fake_cluster_objects.ts'

export const DAY_MS = 86_400_000

export const config: OwnCertificatesConfig = {
  namespace: 'lumo-system',
  caSecret: 'lumo-ca',
  lease: 'lumo-webhook',
  leaves: [
    {
      secret: 'lumo-authority-tls',
      dnsNames: ['lumo-authority.lumo-system.svc', 'lumo-authority'],
      own: false,
    },
    { secret: 'lumo-webhook-tls', dnsNames: ['lumo-webhook.lumo-system.svc'], own: true },
  ],
  webhookConfigurations: ['lumo-webhook'],
}
export const names = config.leaves.map(({ secret }) => secret)

/** One replica of the webhook, as far as it keeps certificates. */
export interface Replica {
  readonly kept: KeptCertificates
  readonly objects: ReturnType<FakeClusterObjects['seenBy']>
  readonly log: FakeLog
  readonly gauge: (name: string) => Promise<number>
}

/** A release as the chart leaves it, with real keys and certificates; its time stands unless it is moved. */
export class Release {
  // Certificates are checked against the clock of the machine by TLS, so the two begin together.
  readonly clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000)
  readonly cluster: FakeClusterObjects
  readonly replicas: Replica[] = []

  constructor() {
    const secrets = [config.caSecret, ...names]
    this.cluster = new FakeClusterObjects(secrets, config.webhookConfigurations)
  }

  start(identity: string, changes: Partial<OwnCertificatesConfig> = {}): Replica {
    const objects = this.cluster.seenBy(identity)
    const log = new FakeLog()
    const metrics = new PrometheusMetrics()
    const { clock } = this
    const changed = { ...config, ...changes }
    const surroundings = { clock, random: systemRandom, log, metrics }
    const kept = keepCertificates({ config: changed, objects, identity, ...surroundings })
    const gauge = async (name: string): Promise<number> => {
      const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${name} `))
      return Number(line?.slice(name.length))
    }
    const replica = { kept, objects, log, gauge }
    this.replicas.push(replica)
    return replica
  }

  /** Starts one and lets it look for the first time. */
  async begin(identity: string, changes: Partial<OwnCertificatesConfig> = {}): Promise<Replica> {
    const replica = this.start(identity, changes)
    await replica.kept.look()
    return replica
  }

  /** Lets time pass in steps, and every replica do what falls due in each. */
  async pass(ms: number, stepMs = 10_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await this.look()
    }
  }

  /** Every replica looks once more, at the same time. */
  async look(): Promise<void> {
    await Promise.all(this.replicas.map(({ kept }) => kept.look()))
  }

  /** No replica does anything any more. */
  async stop(): Promise<void> {
    await Promise.all(this.replicas.map(({ kept }) => kept.stop()))
  }

  leaf(secret: string): X509Certificate {
    return new X509Certificate(this.cluster.data(secret)['tls.crt'] ?? '')
  }

  bundle(secret = 'lumo-authority-tls'): string {
    return this.cluster.data(secret)['ca.crt'] ?? ''
  }
}

/** What a TLS client says that trusts `ca`, of a server with this pair: `trusted`, or the code of its error. */
export async function handshake(
  pair: Readonly<Record<string, string>>,
  ca: string,
  servername: string,
): Promise<string> {
  const server = createServer({ cert: pair['tls.crt'], key: pair['tls.key'] })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {})
    socket.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', ca, servername })
  const outcome = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => {
      resolve('trusted')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'unknown')
    })
  })
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  return outcome
}
