import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { makeCa } from '../../test/fakes/certificates.ts'
import { SERVER_CORE } from '../broker/settings.ts'
import { freePorts, start, type Started } from '../processes.ts'
import { programFile } from '../program.ts'

/** A server that answers reviews, on the core of servers. */
export interface Asked {
  readonly port: number
  readonly pid: number
}

export interface WebhookWorld {
  readonly ca: string
  readonly webhook: Asked
  readonly bare: Asked
  close(): Promise<void>
}

/** As the image starts it. */
const FLAGS = ['--max-semi-space-size=1', '--max-heap-size=262']
const ENV = { MALLOC_ARENA_MAX: '1', NODE_ENV: 'production' }

/** The built webhook with certificates from files, and the reference with the same. */
export async function makeWebhookWorld(): Promise<WebhookWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-bench-'))
  const at = (name: string): string => join(folder, name)
  const ca = await makeCa('bench')
  const { cert, key } = await ca.issue()
  const [port, operations, barePort] = [await freePorts(1), await freePorts(1), await freePorts(1)]
  await writeFile(at('ca.pem'), ca.pem)
  await writeFile(at('cert.pem'), cert)
  await writeFile(at('key.pem'), key)
  await writeFile(at('webhook.yaml'), stringify(configuration({ at, port, operations })))
  const begin = (
    command: readonly string[],
    ready: (line: string) => boolean,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Started> =>
    start([process.execPath, ...FLAGS, ...command], ready, {
      core: SERVER_CORE,
      env: { ...ENV, ...env },
    })
  const webhook = await begin([programFile(), 'run', '--config', at('webhook.yaml')], (line) =>
    line.includes('operations'),
  )
  const bare = await begin(['bench/servers/bare_echo.mjs'], (line) => line === 'ready', {
    PORT: String(barePort),
    CERT: at('cert.pem'),
    KEY: at('key.pem'),
  })
  return {
    ca: ca.pem,
    webhook: { port, pid: webhook.process.pid ?? 0 },
    bare: { port: barePort, pid: bare.process.pid ?? 0 },
    close: async () => {
      await Promise.all([webhook.stop(), bare.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration({
  at,
  port,
  operations,
}: {
  readonly at: (name: string) => string
  readonly port: number
  readonly operations: number
}) {
  return {
    roles: ['webhook'],
    log: { level: 'info', format: 'json' },
    operations: { listen: `127.0.0.1:${String(operations)}` },
    webhook: {
      listen: `127.0.0.1:${String(port)}`,
      authority: { url: 'https://auth.example.com', tenant: 'acme-corp' },
      proofAudience: 'https://auth.example.com/t/acme-corp/api/v1#bench',
      sidecar: { image: 'lumo-broker:bench' },
      certificates: {
        files: { tls: { certFile: at('cert.pem'), keyFile: at('key.pem') }, caFile: at('ca.pem') },
      },
    },
  }
}
