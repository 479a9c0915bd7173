import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { createSecureContext } from 'node:tls'

/** What of a request decides which connections may serve it. */
export interface ConnectionNeeds {
  readonly secure: boolean
  /** To this machine: goes through no proxy. Node itself makes no such exception. */
  readonly stays: boolean
  /** PEM certificates that replace the system's trust. */
  readonly ca: string | undefined
  /** Whether each connection is to be judged. */
  readonly guarded: boolean
}

const KEPT = { keepAlive: true, maxSockets: 32 }

/**
 * Gives each request its agent. Connections are kept and shared by requests without a guard that trust the same CA. One
 * with a guard has an agent of its own, which keeps nothing: a connection that another guard let through, or nobody
 * judged, is never handed on to it.
 */
export function agents(
  proxyEnv: Readonly<Record<string, string>>,
): (needs: ConnectionNeeds) => PlainAgent {
  const plain = new PlainAgent(KEPT)
  const trusting = new Map<string, TlsAgent>()
  const tlsOptions = ({ ca, stays }: ConnectionNeeds) => ({
    minVersion: 'TLSv1.2' as const,
    ...(!stays && { proxyEnv }),
    ...(ca !== undefined && { ca }),
  })
  const shared = (needs: ConnectionNeeds): TlsAgent => {
    const name = JSON.stringify([needs.ca, needs.stays])
    const known = trusting.get(name)
    if (known) return known
    // A CA that was replaced leaves its agent behind; the few that are kept cover a rotation.
    if (trusting.size >= 8) trusting.clear()
    const options = tlsOptions(needs)
    // Made once: Node would read the certificates anew for each connection, and hold them as often.
    const secureContext = createSecureContext(options)
    const agent = new TlsAgent({ ...KEPT, ...options, secureContext })
    trusting.set(name, agent)
    return agent
  }
  return (needs) => {
    // Plain HTTP never leaves this machine, so no proxy is asked for it.
    if (!needs.secure) return needs.guarded ? new PlainAgent() : plain
    return needs.guarded ? new TlsAgent(tlsOptions(needs)) : shared(needs)
  }
}
