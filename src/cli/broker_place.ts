import { isSafeUrl } from '../platform/http_client.ts'
import { configAround, variable } from './environment.ts'
import { UsageFault, type Io } from './io.ts'

/** Where a running broker is asked. */
export interface BrokerPlace {
  /** An origin; its host is what `Host` says. */
  readonly url: URL
  /** The Unix socket that it is reached by instead. */
  readonly socket: string | undefined
}

export const placeRules = {
  url: 'optional',
  socket: 'optional',
  config: 'optional',
  'proof-file': 'optional',
  'ca-file': 'optional',
} as const

export interface PlaceOptions {
  readonly url: string | undefined
  readonly socket: string | undefined
  readonly config: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:9180'

/**
 * The broker that the options name, else the environment, else the configuration that the environment names, else the one
 * of a sidecar.
 * @throws UsageFault, OperatorFault
 */
export async function placeOf(given: PlaceOptions, io: Io): Promise<BrokerPlace> {
  const { url, socket, config } = given
  if ([url, socket, config].filter((value) => value !== undefined).length > 1) {
    throw new UsageFault('--url, --socket and --config exclude one another')
  }
  const named = namedPlace(given)
  if (named) return named
  if (config !== undefined) return configured(config, io)
  const around = {
    url: variable('LUMO_BROKER_URL', io),
    socket: variable('LUMO_BROKER_SOCKET', io),
  }
  if (around.url !== undefined && around.socket !== undefined) {
    throw new UsageFault('LUMO_BROKER_URL and LUMO_BROKER_SOCKET exclude one another')
  }
  const file = configAround(io)
  return (
    namedPlace(around, 'LUMO_BROKER_URL') ??
    (file === undefined ? placeAt(DEFAULT_URL, '--url') : configured(file, io))
  )
}

/**
 * The place that these two name, if one does.
 * @throws UsageFault
 */
export function namedPlace(
  { url, socket }: Pick<PlaceOptions, 'url' | 'socket'>,
  name = '--url',
): BrokerPlace | undefined {
  // As the broker's own setting has it.
  const path = socket?.replace(/^unix:/, '')
  if (path === '') throw new UsageFault('--socket must not be empty')
  if (path !== undefined) return socketAt(path)
  return url === undefined ? undefined : placeAt(url, name)
}

export function socketAt(socket: string): BrokerPlace {
  return { url: new URL('http://localhost'), socket }
}

function placeAt(text: string, name: string): BrokerPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (text !== url.origin && text !== `${url.origin}/`)) {
    throw new UsageFault(`${name} must be an origin, such as ${DEFAULT_URL}`)
  }
  // What is sent is a proof, and what comes back is a token: neither may be read on the way.
  if (!isSafeUrl(url)) throw new UsageFault(`${name} must be https, or http on loopback`)
  return { url, socket: undefined }
}

/** Loaded where it is needed: what reads configurations is most of what such a process would hold. */
async function configured(file: string, io: Io): Promise<BrokerPlace> {
  const { configuredPlace } = await import('./configured_place.ts')
  return configuredPlace(file, io)
}
