import type { ListenAddress } from '../platform/listen.ts'
import { sameAddress } from './address.ts'
import type { AuthorityConfig, BrokerConfig } from './config.ts'
import type { ReportFault } from './document.ts'
import type { WebhookConfig } from './webhook.ts'

interface Listeners {
  readonly operations: ListenAddress | undefined
  readonly authority: Pick<AuthorityConfig, 'listen'> | undefined
  readonly broker: Pick<BrokerConfig, 'listen' | 'proxy' | 'authorization'> | undefined
  readonly webhook: Pick<WebhookConfig, 'listen'> | undefined
}

/** No two listeners of a process can have one address: the second would be told that it is in use, by the process itself. */
export function checkListeners(
  { operations, authority, broker, webhook }: Listeners,
  fault: ReportFault,
): void {
  const all = [
    ...(operations ? [{ path: 'operations.listen', address: operations }] : []),
    ...(authority ? [{ path: 'authority.listen', address: authority.listen }] : []),
    ...(webhook ? [{ path: 'webhook.listen', address: webhook.listen }] : []),
    ...listed('broker.listen', broker?.listen),
    ...listed('broker.proxy.listen', broker?.proxy?.listen),
    ...listed('broker.authorization.listen', broker?.authorization?.listen),
  ]
  all.forEach(({ path, address }, index) => {
    const other = all.slice(0, index).find((earlier) => isSame(earlier.address, address))
    if (other) fault(path, `${other.path} has this address already`)
  })
}

function listed(setting: string, addresses: readonly ListenAddress[] = []) {
  return addresses.map((address, index) => ({ path: `${setting}[${String(index)}]`, address }))
}

function isSame(one: ListenAddress, two: ListenAddress): boolean {
  if ('socket' in one || 'socket' in two) return false
  // Of port 0 each gets another.
  return one.port === two.port && one.port !== 0 && sameAddress(one.host, two.host)
}
