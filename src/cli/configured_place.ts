import type { BrokerConfig } from '../config/config.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { socketAt, type BrokerPlace } from './broker_place.ts'
import { readConfig } from './config_file.ts'
import type { Io } from './io.ts'

/**
 * Where the broker of a configuration is asked, from its own machine.
 * @throws OperatorFault
 */
export async function configuredPlace(file: string, io: Io): Promise<BrokerPlace> {
  const { broker } = await readConfig(file, io)
  if (!broker) throw new OperatorFault(`${file} has no broker`)
  const place = placeOfBroker(broker)
  if (place) return place
  throw new OperatorFault(`${file} leaves the port of the broker open: name it with --url`)
}

/** The first of its addresses. Undefined where its port is not known before it listens. */
export function placeOfBroker({
  listen: [first],
  tls,
}: Pick<BrokerConfig, 'listen' | 'tls'>): BrokerPlace | undefined {
  if (first && 'socket' in first) return socketAt(first.socket)
  const origin = first && originOf(first, tls ? 'https' : 'http')
  return origin && { url: origin, socket: undefined }
}

/** A listener's origin as this machine reaches it. Undefined where its port is not known before it listens. */
export function originOf(address: ListenAddress, protocol: 'http' | 'https'): URL | undefined {
  if ('socket' in address || address.port === 0) return undefined
  // All addresses, those of IPv4 included: the one that every machine has.
  const host = ['::', '0.0.0.0'].includes(address.host) ? '127.0.0.1' : address.host
  const shown = host.includes(':') ? `[${host}]` : host
  return new URL(`${protocol}://${shown}:${String(address.port)}`)
}
