import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { BrokerError } from '../errors.ts'

/** Which agents ask by for a token on somebody's behalf, elsewhere. */
const subjectHeaders = ['lumo-subject-token', 'lumo-session'] as const

/**
 * What a request of a gateway fails, if anything. `hosts` are names that may stand in `Host`, in lower case.
 *
 * Forwarding headers are let pass, for Envoy adds them to what it asks of itself. What keeps requests from outside away is
 * the guard header, which the gateway sets and which nothing that merely forwards would add.
 */
export function failedAuthorizationGuard(
  { headers }: Pick<IncomingMessage, 'headers'>,
  hosts: ReadonlySet<string>,
): BrokerError | undefined {
  // Of two such headers Node makes one, with both values.
  if (headers['lumo-broker'] !== 'true') return new BrokerError('guard_header_missing')
  if (!isHostAllowed(headers.host, hosts)) return new BrokerError('host_not_allowed')
  // Passed over, they would get a token of the workload to somebody who asked for one of a user's.
  if (subjectHeaders.some((name) => headers[name] !== undefined)) {
    return new BrokerError('subject_unsupported')
  }
  return undefined
}

/**
 * A page in a browser of the pod can have its own name resolve to this loopback (DNS rebinding), set the guard header and
 * read the answer: names are taken only where they are configured. An address cannot be made to lead elsewhere.
 */
function isHostAllowed(host: string | undefined, hosts: ReadonlySet<string>): boolean {
  // Of HTTP/1.0, which no browser speaks.
  if (host === undefined) return true
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase()
  if (name === 'localhost' || hosts.has(name)) return true
  const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  return isIP(address) === (address === name ? 4 : 6)
}
