import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { authority, authorityOnly, faultsOf, remote, sidecar } from '../fakes/config_documents.ts'
import { selfSigned } from '../fakes/self_signed.ts'

type Part = Readonly<Record<string, unknown>>

const own = {
  namespace: 'lumo-system',
  caSecret: 'lumo-broker-ca',
  lease: 'lumo-broker-webhook',
  leaves: [
    {
      secret: 'lumo-broker-webhook-tls',
      dnsNames: ['lumo-broker-webhook.lumo-system.svc'],
      own: true,
    },
    { secret: 'lumo-broker-authority-tls', dnsNames: ['lumo-broker-authority.lumo-system.svc'] },
  ],
  webhookConfigurations: ['lumo-broker'],
}
const files = { tls: { certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' }, caFile: '/tls/ca.crt' }

const webhook = (changes: Part = {}): Part => ({
  roles: ['webhook'],
  webhook: {
    authority: { url: 'https://auth.example', tenant: 'acme-corp' },
    proofAudience: 'https://auth.example/t/acme-corp/api/v1',
    sidecar: { image: 'registry.example/lumo-broker:1.0.0' },
    certificates: { own },
    ...changes,
  },
})

test('what a webhook gets without asking', () => {
  expect(resolveConfig(webhook(), {}).webhook).toEqual({
    listen: { host: '::', port: 9443 },
    podName: undefined,
    injection: {
      authority: { url: 'https://auth.example', tenant: 'acme-corp' },
      proofAudience: 'https://auth.example/t/acme-corp/api/v1',
      sidecar: {
        image: 'registry.example/lumo-broker:1.0.0',
        imagePullPolicy: 'IfNotPresent',
        imagePullSecrets: [],
        resources: { requests: { cpu: '5m', memory: '40Mi' }, limits: { memory: '128Mi' } },
        logLevel: 'info',
      },
      meshProxies: ['istio-proxy', 'linkerd-proxy'],
      nodeBroker: undefined,
      defaultMode: 'sidecar',
    },
    certificates: {
      from: 'own',
      ...own,
      leaves: [own.leaves[0], { ...own.leaves[1], own: false }],
    },
    trust: { in: 'certificates' },
    drainDelayMs: 10_000,
  })
})

test('certificates of files are taken as they are', () => {
  const { webhook: resolved } = resolveConfig(webhook({ certificates: { files } }), {})
  expect(resolved?.certificates).toEqual({ from: 'files', ...files })
})

const { leaves } = own
const cases: readonly (readonly [name: string, document: Part, ...faults: readonly string[]])[] = [
  [
    'a file to trust that is not named',
    webhook({ authority: { url: 'https://auth.example', tenant: 'acme-corp', trust: 'file' } }),
    'webhook.authority.caFile: must be given with trust file, and with no other',
  ],
  [
    'a file to trust beside the system',
    webhook({
      authority: {
        url: 'https://auth.example',
        tenant: 'acme-corp',
        trust: 'system',
        caFile: '/ca',
      },
    }),
    'webhook.authority.caFile: must be given with trust file, and with no other',
  ],
  ['no section', { roles: ['webhook'] }, 'webhook: must be given with the role webhook'],
  [
    'plain HTTP to the authority',
    webhook({ authority: { url: 'http://auth.example', tenant: 'acme-corp' } }),
    'webhook.authority.url: must be an https origin',
  ],
  [
    'a node broker with a path',
    webhook({ nodeBroker: { url: 'https://node.example/v1' } }),
    'webhook.nodeBroker.url: must be an https origin',
  ],
  [
    'mode node without a node broker',
    webhook({ defaultMode: 'node' }),
    'webhook.defaultMode: must be sidecar where nodeBroker is not given',
  ],
  [
    'an address without a port',
    webhook({ listen: '::' }),
    'webhook.listen: must be an IP address and a port',
  ],
  [
    'no certificates',
    webhook({ certificates: {} }),
    'webhook.certificates: must hold either own or files',
  ],
  [
    'both kinds of certificates',
    webhook({ certificates: { own, files } }),
    'webhook.certificates: must hold either own or files',
  ],
  [
    'no leaf of its own',
    webhook({ certificates: { own: { ...own, leaves: leaves.slice(1) } } }),
    'webhook.certificates.own.leaves: exactly one must be `own`',
  ],
  [
    'the operations listener at its address',
    { ...webhook({ listen: '[::]:9190' }), operations: { listen: '[::]:9190' } },
    'webhook.listen: operations.listen has this address already',
  ],
]

test.each(cases)('a webhook is refused: %s', (_name, document, ...faults) => {
  expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults)
})

test('an authority may have its key in a Secret, and not in two places or none', () => {
  const { keyEncryptionFile: _, ...bare } = authority
  const secret = { namespace: 'lumo-system', name: 'lumo-broker-key-encryption' }
  const withSecret = { ...authorityOnly(), authority: { ...bare, keyEncryptionSecret: secret } }
  expect(resolveConfig(withSecret, {}).authority?.keyEncryption).toEqual({
    in: 'secret',
    ...secret,
  })
  const both = { ...authorityOnly(), authority: { ...authority, keyEncryptionSecret: secret } }
  expect(faultsOf(() => resolveConfig(both, {}))).toEqual([
    'authority.keyEncryptionSecret: must be absent beside keyEncryptionFile',
  ])
  expect(faultsOf(() => resolveConfig({ ...authorityOnly(), authority: bare }, {}))).toEqual([
    'authority.keyEncryptionFile: must be given, or keyEncryptionSecret instead',
  ])
})

test('a sidecar may have its CA and its policy in the document itself', async () => {
  const { cert } = await selfSigned({})
  const policyDocument = { workloads: [] }
  const { broker } = resolveConfig(
    sidecar({ authority: { ...remote, ca: cert }, policyDocument }),
    {},
  )
  expect([broker?.remote?.ca, broker?.policyDocument]).toEqual([cert, policyDocument])
  const twice = sidecar({
    authority: { ...remote, ca: 'none', caFile: '/ca.crt' },
    policy: '/policy',
    policyDocument,
  })
  expect(faultsOf(() => resolveConfig(twice, {}))).toEqual([
    'broker.authority.ca: must be absent beside caFile',
    'broker.authority.ca: must be certificates in PEM',
    'broker.policyDocument: must be absent beside policy',
  ])
})
