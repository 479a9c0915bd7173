import { DocumentFault, showFault } from '../../src/config/document.ts'

/** Parts of a configuration as an operator writes it, sound unless a test changes them. */
type Part = Readonly<Record<string, unknown>>

export const authority: Part = {
  origin: 'https://auth.example',
  store: { file: '/var/lib/lumo/authority.sqlite' },
  keyEncryptionFile: '/etc/lumo/key-encryption',
  tenants: [{ slug: 'acme-corp' }],
}

export const remote: Part = { url: 'https://auth.example', tenant: 'acme-corp' }

export const authorityOnly = (changes: Part = {}): Part => ({
  roles: ['authority'],
  authority: { ...authority, ...changes },
})

export const tenantsOf = (...tenants: readonly Part[]): Part => authorityOnly({ tenants })

export const tenantWith = (changes: Part): Part => tenantsOf({ slug: 'acme-corp', ...changes })

export const provider = (changes: Part = {}): Part => ({
  name: 'prod',
  kind: 'kubernetes',
  issuers: ['https://cluster.example'],
  ...changes,
})

export const providerWith = (changes: Part): Part => tenantWith({ providers: [provider(changes)] })

export const hash = `sha256:${'A'.repeat(43)}`

export const client = (changes: Part = {}): Part => ({
  id: 'reporter',
  secretHashes: [hash],
  ...changes,
})

export const clientWith = (changes: Part): Part => tenantWith({ clients: [client(changes)] })

export const sidecar = (changes: Part = {}): Part => ({
  roles: ['broker'],
  broker: { authority: remote, ...changes },
})

export const remoteWith = (changes: Part): Part => sidecar({ authority: { ...remote, ...changes } })

/** What shows that a node broker is what it says. */
export const tls: Part = { certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' }

/** For the pods of one node. */
export const nodeBroker = (changes: Part = {}): Part => ({
  roles: ['broker'],
  broker: {
    shape: 'node',
    authority: remote,
    tls,
    callers: { nodeName: 'worker-1', providers: [provider()] },
    ...changes,
  },
})

/** Both roles in one process. */
export const allInOne = (broker: Part = {}, changes: Part = {}): Part => ({
  roles: ['authority', 'broker'],
  authority: { ...authority, ...changes },
  broker: { shape: 'all-in-one', authority: { tenant: 'acme-corp' }, ...broker },
})

/** What is said of a configuration that is refused, in order of the alphabet; empty when it is not refused. */
export function faultsOf(load: () => unknown): readonly string[] {
  try {
    load()
    return []
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    return error.faults.map(showFault).toSorted()
  }
}
