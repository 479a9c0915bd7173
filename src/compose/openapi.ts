import packageJson from '../../package.json' with { type: 'json' }
import type { BrokerConfig, Config } from '../config/config.ts'
import { operationsApi } from '../ops/api.ts'
import { openApiDocument } from '../ops/openapi.ts'
import type { Api } from '../platform/api.ts'

/** What listens where, as it turned out. */
export interface Served {
  readonly broker: readonly string[]
}

/** Describes the roles of this process, and loads the description of no other. */
export async function describeApi(config: Config, served: Served): Promise<string> {
  const apis: Api[] = [operationsApi()]
  if (config.authority) {
    const { authorityApi } = await import('./authority_api.ts')
    apis.push(authorityApi({ origin: config.authority.origin }))
  }
  if (config.broker) {
    const { brokerApi } = await import('./broker_api.ts')
    apis.push(
      brokerApi({
        servers: serversOf(config.broker, served.broker),
        callersProve: config.broker.proof.from === 'caller',
        dropIn: config.broker.dropIn.guard !== 'off',
      }),
    )
  }
  const { name: title, version, description } = packageJson
  return openApiDocument({ title, version, description }, apis)
}

/** A socket has no URL, and an address of all interfaces is none that anybody calls. */
function serversOf({ tls, hosts }: BrokerConfig, addresses: readonly string[]): readonly string[] {
  const scheme = tls ? 'https' : 'http'
  const called = addresses.filter((address) => !/^(unix:|\[::\]:|0\.0\.0\.0:)/.test(address))
  const urls = [...hosts, ...called].map((host) => `${scheme}://${host}`)
  return urls.length > 0 ? urls : [`${scheme}://localhost`]
}
