import { isIP } from 'node:net'
import type { Clock } from '../platform/clock.ts'
import { printable } from '../platform/printable.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import type { World } from './world.ts'

/** A resolver may try its servers one after the other, each for seconds. */
const PATIENCE_MS = 5_000
const MAX_SHOWN = 8

/** Link 5: has the authority's name an address? */
export async function dnsLink(url: URL, world: World): Promise<Finding> {
  const { hostname } = url
  if (isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0)
    return skipped('dns', `${hostname} is an address`)
  if (world.isProxied(url)) return skipped('dns', 'the proxy of HTTPS_PROXY resolves the name')
  try {
    const addresses = await within(PATIENCE_MS, world.resolve(hostname), world.clock)
    const shown = addresses.slice(0, MAX_SHOWN).join(', ')
    return ok('dns', `${hostname} is ${addresses.length > MAX_SHOWN ? `${shown}, …` : shown}`)
  } catch (error) {
    const code = printable((error as NodeJS.ErrnoException).code ?? 'unknown', 40)
    return code === 'ENOTFOUND' || code === 'ENODATA'
      ? failed(
          'dns',
          `there is no name ${hostname} (${code})`,
          'is broker.authority.url right? In a cluster a Service is NAME.NAMESPACE.svc',
        )
      : failed(
          'dns',
          `the resolver gives no answer for ${hostname} (${code})`,
          'does a NetworkPolicy let this pod reach the DNS of the cluster (port 53)?',
        )
  }
}

/** Rejects with the code that a resolver gives for one that is too slow. */
function within<T>(ms: number, work: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => {
      reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEOUT' }))
    })
    work.then(resolve, reject).finally(stop)
  })
}
