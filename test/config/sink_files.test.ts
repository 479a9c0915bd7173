import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { allInOne, faultsOf, remote, sidecar, tls } from '../fakes/config_documents.ts'

type Part = Readonly<Record<string, unknown>>

const sinksAt = (...files: readonly string[]) => files.map((file) => ({ file }))
const withSink = (file: string, changes: Part = {}) => sidecar({ sinks: sinksAt(file), ...changes })
const beside = (file: string, changes: Part = {}) =>
  allInOne({ sinks: sinksAt(file), proof: { file: '/run/proof' } }, changes)

const faulty: readonly (readonly [name: string, document: unknown, owner: string])[] = [
  ['the proof', withSink('/run/p', { proof: { file: '/run/p' } }), 'broker.proof.file'],
  [
    'the proof, written differently',
    withSink('/run/./x/..//p', { proof: { file: '//run/p' } }),
    'broker.proof.file',
  ],
  [
    'the proof by its default',
    withSink('/var/run/secrets/lumoauth.dev/proof/token'),
    'broker.proof.file',
  ],
  [
    'the CA',
    withSink('/run/ca.pem', { authority: { ...remote, caFile: '/run/ca.pem' } }),
    'broker.authority.caFile',
  ],
  ['the socket', withSink('/run/b.sock', { listen: ['unix:/run/b.sock'] }), 'broker.listen[0]'],
  [
    'the guard value',
    withSink('/run/guard', { dropIn: { secretFile: '/run/guard' } }),
    'broker.dropIn.secretFile',
  ],
  ['the local policy', withSink('/run/policy', { policy: '/run/policy/' }), 'broker.policy'],
  ['the last sentence', withSink('/dev/termination-log'), 'broker.terminationMessageFile'],
  ['the state', beside('/run/state', { store: { file: '/run/state' } }), 'authority.store.file'],
  [
    'the key of keys',
    beside('/run/key', { keyEncryptionFile: '/run/key' }),
    'authority.keyEncryptionFile',
  ],
  [
    'the trust policy',
    beside('/run/agents', { tenants: [{ slug: 'acme-corp', policy: '/run/agents' }] }),
    'authority.tenants[0].policy',
  ],
  ['the certificate', beside('/tls/tls.crt', { tls }), 'authority.tls.certFile'],
  ['the key', beside('/tls/tls.key', { tls }), 'authority.tls.keyFile'],
]

for (const [name, document, owner] of faulty) {
  test(`a sink cannot be written over ${name}`, () => {
    const said = faultsOf(() => resolveConfig(document, {}))
    expect(said).toEqual([`broker.sinks[0].file: ${owner} has this path already`])
  })
}

test("a sink of a broker for others cannot be written over that broker's own key", () => {
  const document = allInOne({
    tls,
    proof: { source: 'caller' },
    sinks: sinksAt(String(tls['keyFile'])),
  })
  expect(faultsOf(() => resolveConfig(document, {}))).toContain(
    'broker.sinks[0].file: broker.tls.keyFile has this path already',
  )
})

const sound: readonly (readonly [name: string, document: unknown])[] = [
  ['beside the proof', withSink('/run/t', { proof: { file: '/run/p' } })],
  ['in a folder of the same name', withSink('/run/p/t', { proof: { file: '/run/p.d' } })],
  ['in the root folder', withSink('/t')],
  ['beside one another', sidecar({ sinks: sinksAt('/run/t', '/run/u') })],
]

test.each(sound)('sinks can lie %s', (_name, document) => {
  expect(() => resolveConfig(document, {})).not.toThrow()
})
