import { isSafeUrl } from '../platform/http_client.ts'
import type { ListenAddress } from '../platform/listen.ts'
import { isLoopbackAddress, parseAddress } from './address.ts'
import { issuerOf } from './authority.ts'
import type { ReportFault } from './document.ts'
import { eksAudiences } from './provider/issuing.ts'
import type { AuthorityConfig, BrokerConfig, RemoteAuthorityConfig } from './config.ts'
import { resolveProof } from './proof.ts'
import type { ConfigFile } from './schema.ts'

type BrokerSection = NonNullable<ConfigFile['broker']>

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
  const proofAudience =
    section.proof.audience ??
    local?.issuer ??
    issuerOf((section.authority.url ?? '').replace(/\/$/, ''), tenant)
  if (section.shape !== 'sidecar' && Object.values(eksAudiences).includes(proofAudience)) {
    fault(
      'broker.proof.audience',
      `tokens for ${proofAudience} are credentials of AWS: only a sidecar may take that of its own pod`,
    )
  }
  return {
    listen: section.listen.map((text, index) =>
      loopback(text, `broker.listen[${String(index)}]`, fault),
    ),
    hosts: section.hosts,
    tenant,
    remote,
    proof: resolveProof(section.proof, proofAudience, fault),
    proofAudience,
    rateLimit: section.rateLimit,
    maxEntries: section.maxEntries,
    terminationMessageFile: section.terminationMessageFile,
  }
}

function resolveRemote(
  section: BrokerSection,
  withAuthority: boolean,
  fault: ReportFault,
): RemoteAuthorityConfig | undefined {
  const { url: text, tenant, pathStyle, caFile, connectTimeout, timeout } = section.authority
  if (section.shape === 'all-in-one') {
    if (!withAuthority)
      fault('broker.shape', 'all-in-one needs the role authority in the same process')
    if (text !== undefined) fault('broker.authority.url', 'must be absent with shape all-in-one')
    return undefined
  }
  if (withAuthority) {
    // A sidecar lies in every pod: whoever breaks into one would hold the keys that mint every agent.
    fault('roles', 'a sidecar must not carry an authority: signing keys would lie in every pod')
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
  return {
    tokenUrl: new URL(`/${pathStyle}/${tenant}/api/v1/oauth/token`, url),
    caFile,
    connectTimeoutMs: connectTimeout * 1000,
    totalTimeoutMs: timeout * 1000,
  }
}

function loopback(text: string, path: string, fault: ReportFault): ListenAddress {
  const address = parseAddress(text)
  if (!address) fault(path, 'must be an IP address and a port')
  else if (!isLoopbackAddress(address)) {
    fault(path, 'must be a loopback address: every pod of the network could ask for tokens there')
  }
  return { ...(address ?? { host: '127.0.0.1', port: 0 }), optional: address?.host === '::1' }
}
