import { isAbsolute, resolve } from 'node:path'
import type { ListenAddress } from '../platform/listen.ts'
import type { AuthorityConfig, BrokerConfig, TenantConfig } from './config.ts'
import type { ReportFault } from './document.ts'

interface Named {
  readonly setting: string
  readonly path: string | undefined
}

/**
 * A sink replaces what lies at its path, again and again: no other setting of the process may name the same, such as the
 * proof itself, a key, or the socket that tokens are served on. Paths count as they are written, `.` and `..` taken out; one
 * that is relative to the working folder is not known here, and links are not followed.
 */
export function checkSinkFiles(
  broker: BrokerConfig,
  authority: AuthorityConfig | undefined,
  fault: ReportFault,
): void {
  const owners = new Map<string, string>()
  for (const { setting, path } of [...filesOf(broker), ...(authority ? storedBy(authority) : [])]) {
    if (path !== undefined && isAbsolute(path)) owners.set(resolve(path), setting)
  }
  broker.sinks.forEach(({ file }, index) => {
    const setting = `broker.sinks[${String(index)}].file`
    const place = resolve(file)
    const owner = owners.get(place)
    if (owner === undefined) owners.set(place, setting)
    else fault(setting, `${owner} has this path already`)
  })
}

function filesOf(broker: BrokerConfig): readonly Named[] {
  const { proof, remote, tls, dropIn, policy, terminationMessageFile, listen } = broker
  const { proxy, authorization } = broker
  return [
    { setting: 'broker.proof.file', path: proof.from === 'file' ? proof.file : undefined },
    { setting: 'broker.authority.caFile', path: remote?.caFile },
    ...tlsOf('broker', tls),
    {
      setting: 'broker.dropIn.secretFile',
      path: dropIn.guard === 'file' ? dropIn.file : undefined,
    },
    { setting: 'broker.policy', path: policy },
    { setting: 'broker.terminationMessageFile', path: terminationMessageFile },
    ...socketsOf('broker.listen', listen),
    ...socketsOf('broker.proxy.listen', proxy?.listen),
    ...socketsOf('broker.authorization.listen', authorization?.listen),
    ...(proxy?.routes ?? []).map(({ caFile }, index) => ({
      setting: `broker.proxy.routes[${String(index)}].caFile`,
      path: caFile,
    })),
  ]
}

function socketsOf(setting: string, addresses: readonly ListenAddress[] = []): readonly Named[] {
  return addresses.map((address, index) => ({
    setting: `${setting}[${String(index)}]`,
    path: 'socket' in address ? address.socket : undefined,
  }))
}

function storedBy(authority: AuthorityConfig): readonly Named[] {
  const { storeFile, keyEncryption, tls, tenants } = authority
  return [
    { setting: 'authority.store.file', path: storeFile },
    {
      setting: 'authority.keyEncryptionFile',
      path: keyEncryption.in === 'file' ? keyEncryption.file : undefined,
    },
    ...tlsOf('authority', tls),
    ...tenants.flatMap((tenant, index) => ofTenant(tenant, `authority.tenants[${String(index)}]`)),
  ]
}

function ofTenant(
  { policy, clientFiles, roles, upstreams }: TenantConfig,
  tenant: string,
): readonly Named[] {
  return [
    { setting: `${tenant}.policy`, path: policy },
    { setting: `${tenant}.clientFiles`, path: clientFiles },
    { setting: `${tenant}.roles`, path: roles },
    ...upstreams.flatMap(({ clientSecretFile, caFile }, index) => [
      { setting: `${tenant}.upstreams[${String(index)}].clientSecretFile`, path: clientSecretFile },
      { setting: `${tenant}.upstreams[${String(index)}].caFile`, path: caFile },
    ]),
  ]
}

function tlsOf(role: 'authority' | 'broker', tls: BrokerConfig['tls']): readonly Named[] {
  return [
    { setting: `${role}.tls.certFile`, path: tls?.certFile },
    { setting: `${role}.tls.keyFile`, path: tls?.keyFile },
  ]
}
