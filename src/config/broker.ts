import { isSafeUrl } from '../platform/http_client.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { certificatesIn } from '../platform/pem.ts'
import { isLoopbackAddress, parseListen, sameAddress } from './address.ts'
import { issuerOf } from './authority.ts'
import { resolveAuthorization } from './authorization.ts'
import type {
  AuthorityConfig,
  BrokerConfig,
  DropInConfig,
  RemoteAuthorityConfig,
} from './config.ts'
import type { ReportFault } from './document.ts'
import { eksAudiences } from './provider/issuing.ts'
import type { ConfigFile } from './schema.ts'
import { resolveProof } from './proof.ts'
import { resolveProxy } from './proxy.ts'
import type { BrokerSection } from './broker_schema.ts'
import { resolveSinks } from './sink.ts'

/** The cross rules of the section `broker`. `authority` is the one of the same process. */
export function resolveBroker(
  section: BrokerSection,
  authority: AuthorityConfig | undefined,
  roles: ConfigFile['roles'],
  fault: ReportFault,
): BrokerConfig {
  const { tenant } = section.authority
  const remote = resolveRemote(section, roles.includes('authority'), fault)
  const local = authority?.tenants.find(({ slug }) => slug === tenant)
  if (!remote && authority && !local) {
    fault('broker.authority.tenant', 'the authority of this process has no such tenant')
  }
  const issuer = local?.issuer ?? issuerOf((section.authority.url ?? '').replace(/\/$/, ''), tenant)
  const proofAudience = section.proof.audience ?? issuer
  if (section.shape !== 'sidecar' && Object.values(eksAudiences).includes(proofAudience)) {
    fault(
      'broker.proof.audience',
      `tokens for ${proofAudience} are credentials of AWS: only a sidecar may take that of its own pod`,
    )
  }
  if (section.policy !== undefined && section.policyDocument) {
    fault('broker.policyDocument', 'must be absent beside policy')
  }
  const proof = resolveProof(section, proofAudience, fault)
  const sinks = resolveSinks(section.sinks, fault)
  const fromOthers = proof.from === 'caller'
  if (fromOthers && sinks.length > 0) {
    fault('broker.sinks', 'must be absent where callers prove themselves: nobody else gets a token')
  }
  const listen = resolveListen(section, fromOthers, fault)
  const { drainDelay, grace, revoke } = section.shutdown
  return {
    listen,
    tls: section.tls,
    hosts: section.hosts,
    tenant,
    issuer,
    remote,
    proof,
    proofAudience,
    dropIn: resolveDropIn(section.dropIn, fromOthers, fault),
    policy: section.policy,
    policyDocument: section.policyDocument,
    limits: section.limits,
    sinks,
    proxy: resolveProxy(section.proxy, { fromOthers, brokerListen: listen }, fault),
    authorization: resolveAuthorization(
      section.authorization,
      { fromOthers, brokerListen: listen },
      fault,
    ),
    rateLimit: section.rateLimit,
    delegation: {
      maxSessions: section.delegation.maxSessions,
      sessionIdleMs: section.delegation.sessionIdle * 1000,
    },
    maxEntries: section.maxEntries,
    shutdown: {
      drainDelayMs: (drainDelay ?? (fromOthers && !listen.every(staysHere) ? 10 : 0)) * 1000,
      graceMs: grace * 1000,
      revoke,
    },
    terminationMessageFile: section.terminationMessageFile,
  }
}

function resolveRemote(
  section: BrokerSection,
  withAuthority: boolean,
  fault: ReportFault,
): RemoteAuthorityConfig | undefined {
  const { url: text, tenant, pathStyle, caFile, ca, connectTimeout, timeout } = section.authority
  if (section.shape === 'all-in-one') {
    if (!withAuthority)
      fault('broker.shape', 'all-in-one needs the role authority in the same process')
    if (text !== undefined) fault('broker.authority.url', 'must be absent with shape all-in-one')
    return undefined
  }
  if (withAuthority) {
    // Whoever breaks into one pod or one node would hold the keys that mint every agent.
    fault(
      'roles',
      section.shape === 'sidecar'
        ? 'a sidecar must not carry an authority: signing keys would lie in every pod'
        : 'a node broker must not carry an authority: signing keys would lie on every node',
    )
  }
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  if (!url || (text !== url.origin && text !== `${url.origin}/`)) {
    fault(
      'broker.authority.url',
      'must be the origin of the authority, such as https://auth.example.com',
    )
    return undefined
  }
  if (!isSafeUrl(url)) {
    fault('broker.authority.url', 'must be https: over plain HTTP a proof could be read on the way')
  }
  if (ca !== undefined && caFile !== undefined) {
    fault('broker.authority.ca', 'must be absent beside caFile')
  }
  if (ca !== undefined && !certificatesIn(ca)) {
    fault('broker.authority.ca', 'must be certificates in PEM')
  }
  return {
    origin: url,
    tokenUrl: new URL(`/${pathStyle}/${tenant}/api/v1/oauth/token`, url),
    caFile,
    ca,
    connectTimeoutMs: connectTimeout * 1000,
    totalTimeoutMs: timeout * 1000,
  }
}

const loopbacks = ['127.0.0.1:9180', '[::1]:9180']

function resolveListen(
  section: BrokerSection,
  fromOthers: boolean,
  fault: ReportFault,
): readonly ListenAddress[] {
  const texts = section.listen ?? (fromOthers ? ['[::]:9180'] : loopbacks)
  const listen = texts.map((text, index): ListenAddress => {
    const path = `broker.listen[${String(index)}]`
    const address = parseListen(text)
    if (!address) {
      fault(path, 'must be an IP address and a port, or unix: and an absolute path')
      return { host: '127.0.0.1', port: 0 }
    }
    if ('socket' in address) {
      if (texts.length > 1) fault(path, 'a socket must stand alone: TCP would let everybody in')
      if (fromOthers) fault(path, 'callers that prove themselves come over the network')
      return address
    }
    if (!fromOthers && !isLoopbackAddress(address)) {
      fault(path, 'must be a loopback address: every pod of the network could ask for tokens there')
    }
    return { ...address, optional: address.host === '::1' }
  })
  const leaves = fromOthers && !listen.every(staysHere)
  if (leaves && !section.tls) {
    fault('broker.tls', 'must be given: callers show their tokens, which could be read on the way')
  }
  if (!fromOthers && section.tls) {
    fault('broker.tls', 'must be absent: on loopback and on a socket there is nobody in between')
  }
  const { podIp, hostIp } = section
  if (section.shape === 'sidecar' && podIp !== undefined && sameAddress(podIp, hostIp ?? '')) {
    fault(
      'broker.podIp',
      "is the node's: in a pod with hostNetwork every process of the node could ask for tokens on its loopback",
    )
  }
  return listen
}

function staysHere(address: ListenAddress): boolean {
  return 'socket' in address || isLoopbackAddress(address)
}

function resolveDropIn(
  { guard, secret, secretFile }: BrokerSection['dropIn'],
  fromOthers: boolean,
  fault: ReportFault,
): DropInConfig {
  const given = secret !== undefined || secretFile !== undefined
  if (secret !== undefined && secretFile !== undefined) {
    fault('broker.dropIn', 'must have secret or secretFile, not both')
  }
  if (fromOthers) {
    if (given || guard === 'none') {
      fault('broker.dropIn', 'must be absent where callers prove themselves')
    }
    return { guard: 'caller' }
  }
  if (guard === 'none') {
    if (given) fault('broker.dropIn', 'guard none contradicts the guard value beside it')
    return { guard: 'none' }
  }
  if (secretFile !== undefined) return { guard: 'file', file: secretFile }
  return secret === undefined ? { guard: 'off' } : { guard: 'secret', secret }
}
