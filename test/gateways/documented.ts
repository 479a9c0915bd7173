import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPage } from '../flows/pages.ts'
import { freePorts } from '../fakes/ports.ts'
import { envoyMissing, startEnvoy } from './envoy.ts'
import { nginxMissing, startNginx } from './nginx.ts'
import { untilAccepts, type Program } from './program.ts'

export type GatewayName = 'nginx' | 'envoy'

/** Where the parties of docs/gateways.md are in a test. */
export interface Places {
  readonly brokerPort: number
  readonly apiPort: number
  readonly apiCa: string
}

export interface Gateway extends Program {
  readonly port: number
}

export const missing: Readonly<Record<GatewayName, string | undefined>> = {
  nginx: nginxMissing(),
  envoy: envoyMissing(),
}

export const startGateway = { nginx: startNginx, envoy: startEnvoy } as const

/** Starts a gateway as the page says, with the ports of a test; `change` makes it another than that. */
export async function documentedGateway(
  name: GatewayName,
  { brokerPort, apiPort, apiCa }: Places,
  change: (config: string) => string = (config) => config,
): Promise<Gateway> {
  const { blocks } = await readPage('docs/gateways.md')
  const written = blocks.find(({ mark }) => mark === name)?.text ?? ''
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'))
  const ca = join(folder, 'ca.crt')
  await writeFile(ca, apiCa)
  const port = await freePorts([0])
  const texts = {
    nginx: [
      ['127.0.0.1:9182', `127.0.0.1:${String(brokerPort)}`],
      ['127.0.0.1:8081', `127.0.0.1:${String(port)}`],
      ['docs.example.com:443', `127.0.0.1:${String(apiPort)}`],
    ],
    envoy: [
      ['port_value: 9182', `port_value: ${String(brokerPort)}`],
      ['port_value: 8081', `port_value: ${String(port)}`],
      [
        'address: docs.example.com, port_value: 443',
        `address: 127.0.0.1, port_value: ${String(apiPort)}`,
      ],
    ],
  } as const
  const everywhere = [...texts[name], ['/etc/ssl/certs/ca-certificates.crt', ca]] as const
  const placed = everywhere.reduce((config, [from, to]) => replaced(config, from, to), written)
  const running = await startGateway[name](change(placed))
  await untilAccepts(port)
  return {
    port,
    close: async () => {
      await running.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The same text with a part replaced that stands in it once. */
export function replaced(text: string, from: string, to: string): string {
  const [before = '', after, ...more] = text.split(from)
  if (after === undefined || more.length > 0) throw new Error(`"${from}" is not there once`)
  return before + to + after
}
