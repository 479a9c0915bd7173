import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** All addresses of a host name: what `dns.lookup` is. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** The code of the error that a connection fails with when every address of its host is refused. */
export const ADDRESS_REFUSED = 'ERR_ADDRESS_REFUSED'

/**
 * The `lookup` of one connection, which lets only addresses through that may be connected to. Judged here, of the very
 * addresses that are connected to: who checks a name beforehand checks one answer of the name server and connects by
 * the next.
 */
export function guardedLookup(
  resolve: Resolve,
  mayConnectTo: (address: string) => boolean,
): LookupFunction {
  return (hostname, { all, hints }, callback) => {
    resolve(hostname, { all: true, ...(hints !== undefined && { hints }) }, (error, addresses) => {
      if (error) {
        callback(error, '')
        return
      }
      const allowed = addresses.filter(({ address }) => mayConnectTo(address))
      const [first] = allowed
      if (!first) callback(refused(), '')
      else if (all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(): NodeJS.ErrnoException {
  return Object.assign(new Error('every address is refused'), { code: ADDRESS_REFUSED })
}
