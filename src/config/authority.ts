import { isIP } from 'node:net'
import { isSafeUrl } from '../platform/http_client.ts'
import { isLoopbackAddress, parseAddress } from './address.ts'
import type { AuthorityConfig, KeyEncryptionConfig, TenantConfig } from './config.ts'
import { clientOf } from './client.ts'
import { clientFaults } from './client_files.ts'
import type { ReportFault } from './document.ts'
import { resolveProvider } from './provider/resolve.ts'
import { provenKind, type ProviderConfig } from './provider/config.ts'
import type { ConfigFile, TenantEntry } from './schema.ts'
import { checkUpstreams } from './upstream.ts'

/** The cross rules of the section `authority`. */
export function resolveAuthority(
  section: NonNullable<ConfigFile['authority']>,
  fault: ReportFault,
): AuthorityConfig {
  const listen = parseAddress(section.listen)
  if (!listen) fault('authority.listen', 'must be an IP address and a port')
  else if (!section.tls && !isLoopbackAddress(listen)) {
    fault('authority.tls', 'must be given: plain HTTP is for loopback addresses only')
  }
  const origin = originOf(section.origin, fault)
  const tenants = section.tenants.map((tenant, index) =>
    resolveTenant(tenant, `authority.tenants[${String(index)}]`, origin, fault),
  )
  refuseRepeated(
    tenants.map(({ slug }) => slug),
    'authority.tenants',
    'two tenants have the same slug',
    fault,
  )
  if (tenants.filter(({ atOrigin }) => atOrigin).length > 1) {
    fault('authority.tenants', 'only one tenant may have the bare origin as its issuer')
  }
  refuseSharedPairs(tenants, fault)
  return {
    listen: listen ?? { host: '127.0.0.1', port: 0 },
    origin,
    tls: section.tls,
    storeFile: storeFileOf(section.store, fault),
    keyEncryption: resolveKeyEncryption(section, fault),
    clockOffsetMs: section.clockOffset * 1000,
    drainDelayMs: (section.drainDelay ?? (listen && !isLoopbackAddress(listen) ? 10 : 0)) * 1000,
    trustedProxies: trustedProxiesOf(section, fault),
    limits: section.limits,
    audit: section.audit,
    tenants,
  }
}

function trustedProxiesOf(
  { trustedProxies }: NonNullable<ConfigFile['authority']>,
  fault: ReportFault,
): readonly string[] {
  trustedProxies.forEach((text, index) => {
    if (!isNetwork(text)) {
      fault(`authority.trustedProxies[${String(index)}]`, 'must be an IP address, or one and /bits')
    }
  })
  return trustedProxies
}

/** With at least one bit: a network of everybody would let each caller say who they are. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  if (bits === undefined) return true
  const count = /^\d{1,3}$/.test(bits) ? Number(bits) : 0
  return count >= 1 && count <= (family === 4 ? 32 : 128)
}

function storeFileOf(
  { file, postgresUrlFile }: NonNullable<ConfigFile['authority']>['store'],
  fault: ReportFault,
): string {
  if (postgresUrlFile !== undefined) {
    fault(
      'authority.store.postgresUrlFile',
      'PostgreSQL is not in this version: keep the state in authority.store.file',
    )
  } else if (file === undefined) {
    fault('authority.store.file', 'must be given')
  }
  return file ?? ''
}

function resolveKeyEncryption(
  { keyEncryptionFile: file, keyEncryptionSecret: secret }: NonNullable<ConfigFile['authority']>,
  fault: ReportFault,
): KeyEncryptionConfig {
  if (file !== undefined && secret) {
    fault('authority.keyEncryptionSecret', 'must be absent beside keyEncryptionFile')
  }
  if (file === undefined && !secret) {
    fault('authority.keyEncryptionFile', 'must be given, or keyEncryptionSecret instead')
  }
  return secret ? { in: 'secret', ...secret } : { in: 'file', file: file ?? '' }
}

function originOf(text: string, fault: ReportFault): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (text !== url.origin && text !== `${url.origin}/`)) {
    fault('authority.origin', 'must be an origin such as https://auth.example.com, without a path')
  } else if (!isSafeUrl(url)) {
    fault('authority.origin', 'must be https; plain http is for loopback only')
  }
  return text.replace(/\/$/, '')
}

function resolveTenant(
  tenant: TenantEntry,
  path: string,
  origin: string,
  fault: ReportFault,
): TenantConfig {
  const atOrigin = tenant.issuer === 'origin'
  const issuer = atOrigin ? origin : issuerOf(origin, tenant.slug)
  const { providers, clients, users } = tenant
  const kinds = new Map(providers.map((entry) => [entry.name, provenKind(entry)]))
  refuseRepeated(
    providers.map((entry) => entry.name),
    `${path}.providers`,
    'two providers have the same name',
    fault,
  )
  refuseRepeated(
    clients.map((entry) => entry.id),
    `${path}.clients`,
    'two clients have the same id',
    fault,
  )
  refuseRepeated(
    [...new Set(clients.map((entry) => entry.id)), ...users.map(({ sub }) => sub)],
    `${path}.users`,
    'two users have the same sub, or a user has that of a client',
    fault,
  )
  checkUpstreams(tenant.upstreams, `${path}.upstreams`, issuer, fault)
  return {
    slug: tenant.slug,
    issuer,
    atOrigin,
    algorithm: tenant.algorithm,
    policy: tenant.policy,
    providers: providers.map((entry, index) =>
      resolveProvider(entry, `${path}.providers[${String(index)}]`, issuer, fault),
    ),
    clients: clients.map((entry, index) => {
      const faults = clientFaults(entry, `${path}.clients[${String(index)}]`, kinds)
      for (const { path: at, message } of faults) fault(at, message)
      return clientOf(entry)
    }),
    clientFiles: tenant.clientFiles,
    roles: tenant.roles,
    users,
    passwords: tenant.passwords,
    upstreams: tenant.upstreams,
    trustedOrigins: trustedOriginsOf(tenant, path, fault),
    codeLifetimeSeconds: tenant.codeLifetime,
    maxDelegationDepth: tenant.maxDelegationDepth,
    capabilitiesInTokens: tenant.capabilitiesInTokens,
    workloadRefusal: tenant.workloadRefusal,
    dpopNonceRequired: tenant.dpopNonce === 'required',
  }
}

/** As browsers write them in `Origin`, for they are compared by the character; `null` would be every sandboxed frame. */
function trustedOriginsOf(
  { trustedOrigins }: TenantEntry,
  path: string,
  fault: ReportFault,
): readonly string[] {
  trustedOrigins.forEach((text, index) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url?.origin !== text || !isSafeUrl(url)) {
      fault(
        `${path}.trustedOrigins[${String(index)}]`,
        'must be an origin such as https://app.example.com, in lower case and without a path; http is for loopback only',
      )
    }
  })
  return trustedOrigins
}

/** The issuer of a tenant whose discovery lies under it (RFC 8414 with a path, OpenID Connect Discovery 1.0). */
export function issuerOf(origin: string, slug: string): string {
  return `${origin}/t/${slug}/api/v1`
}

/**
 * A proof names an issuer and an audience, and they must mean one provider: with two, whichever is laxer would decide. The
 * rule crosses tenants, so that a proof made for one tenant is nothing to another.
 */
function refuseSharedPairs(tenants: readonly TenantConfig[], fault: ReportFault): void {
  const owners = new Set<string>()
  for (const { slug, providers } of tenants) {
    for (const provider of providers) {
      const { name } = provider
      for (const pair of pairsOf(provider)) {
        if (owners.has(pair)) {
          fault(
            'authority.tenants',
            `provider ${name} of ${slug} has an issuer and audience that another provider has too`,
          )
        }
        owners.add(pair)
      }
    }
  }
}

function refuseRepeated(
  names: readonly string[],
  path: string,
  message: string,
  fault: ReportFault,
): void {
  if (new Set(names).size < names.length) fault(path, message)
}

/** What a proof says of itself, by which it selects a provider. A signed request says its partition where a token says its issuer. */
function pairsOf(provider: ProviderConfig): readonly string[] {
  const issuers =
    provider.kind === 'aws4_request' ? [`aws4_request ${provider.partition}`] : provider.issuers
  return issuers.flatMap((issuer) =>
    provider.audiences.map((audience) => JSON.stringify([issuer, audience])),
  )
}
