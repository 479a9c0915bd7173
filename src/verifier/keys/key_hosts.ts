import { classOf, literalOf, type AddressClass } from '../../platform/addresses.ts'
import type { KeyLocation } from './fetch_keys.ts'

/** Judges the addresses of one request, and remembers what it refused. */
export interface AddressGuard {
  readonly mayConnectTo: (address: string) => boolean
  /** What the refused address leads to; undefined while none was refused. */
  refused(): AddressClass | undefined
}

/**
 * Which addresses a host may have. A name server, or who writes a discovery document, must not send us, with our token, into
 * the operator's network: what is not public needs the operator's word for that very host. It is given by `keys.hosts`, and
 * by an address (or `localhost`) that the operator wrote into the `jwksUrl` or the issuer. A `jwksUrl` names its host in
 * full, which is enough for a private address, as the API server has in a cluster. It is not enough for link-local ones,
 * where credentials are handed out to whoever asks.
 */
export function guardOf(url: URL, location: KeyLocation): AddressGuard {
  const named = isNamed(url, location)
  const own = 'jwksUrl' in location.from
  let refused: AddressClass | undefined
  return {
    mayConnectTo: (address) => {
      const found = classOf(address)
      if (named || mayBe(found, own)) return true
      refused = found
      return false
    },
    refused: () => refused,
  }
}

function mayBe(found: AddressClass, own: boolean): boolean {
  switch (found) {
    case 'public':
      return true
    case 'private':
    case 'loopback':
      return own
    case 'link_local':
    case 'metadata':
      return false
  }
}

function isNamed(url: URL, { from, hosts }: KeyLocation): boolean {
  if (hosts.includes(url.host)) return true
  const written = 'jwksUrl' in from ? from.jwksUrl : new URL(from.discoveryOf)
  const isSpelledOut = url.hostname === 'localhost' || literalOf(url.hostname) !== undefined
  return isSpelledOut && url.host === written.host
}
