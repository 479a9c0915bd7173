import { expect, test } from 'vitest'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { DocumentFault, showFault } from '../../src/config/document.ts'
import { loadConfig } from '../../src/config/load.ts'

const hash = `sha256:${'A'.repeat(43)}`
const tenant = loadConfig(
  JSON.stringify({
    roles: ['authority'],
    authority: {
      origin: 'https://auth.example',
      store: { file: 'authority.sqlite' },
      keyEncryptionFile: 'key',
      tenants: [
        {
          slug: 'acme',
          clientFiles: '/etc/lumo/clients',
          providers: [
            {
              name: 'prod',
              kind: 'kubernetes',
              issuers: ['https://prod.example'],
              keys: { jwksUrl: 'https://prod.example/keys' },
            },
          ],
          clients: [{ id: 'configured', secretHashes: [hash] }],
          users: [{ sub: 'user_a' }],
        },
      ],
    },
  }),
  {},
).authority?.tenants[0]

const file = (path: string, ...clients: readonly object[]) => ({
  path,
  text: JSON.stringify({ clients }),
})
const client = (id: string, more: object = {}) => ({ id, secretHashes: [hash], ...more })
const federated = (provider: string) => ({
  id: 'pod',
  methods: ['federated_jwt'],
  proof: { provider, namespace: 'research', serviceAccount: 'reporter' },
})

function parsed(...files: readonly { readonly path: string; readonly text: string }[]) {
  if (!tenant) throw new Error('the document has no tenant')
  return parseClientFiles(files, tenant)
}

test('the clients of all files are taken together, in their order', () => {
  const all = parsed(
    file('a.yaml', client('one'), federated('prod')),
    file('b.yaml', client('two')),
  )
  expect(all.map(({ id }) => id)).toEqual(['one', 'pod', 'two'])
})

test('a file may have none', () => {
  expect(parsed({ path: 'a.yaml', text: '' })).toEqual([])
})

test.each([
  {
    what: 'an id that stands twice',
    files: [file('a.yaml', client('one')), file('b.yaml', client('two'), client('one'))],
    fault: 'b.yaml: clients[1].id: another client or a user has this id',
  },
  {
    what: 'an id of a client of the configuration',
    files: [file('a.yaml', client('configured'))],
    fault: 'a.yaml: clients[0].id: another client or a user has this id',
  },
  {
    what: 'an id that is the sub of a user',
    files: [file('a.yaml', client('user_a'))],
    fault: 'a.yaml: clients[0].id: another client or a user has this id',
  },
  {
    what: 'a proof of a provider that there is not',
    files: [file('a.yaml', federated('elsewhere'))],
    fault: 'a.yaml: clients[0].proof.provider: the tenant has no provider of this name',
  },
  {
    what: 'settings that contradict each other',
    files: [file('a.yaml', { id: 'one' })],
    fault:
      'a.yaml: clients[0].secretHashes: must be given with the methods client_secret_basic and client_secret_post, and only then',
  },
  {
    what: 'a setting that there is not',
    files: [{ path: 'a.yaml', text: 'agents: []' }],
    fault: 'a.yaml: agents: there is no such setting',
  },
  {
    what: 'more clients than a tenant may have',
    files: [
      file('a.yaml', ...Array.from({ length: 600 }, (_, index) => client(`a${String(index)}`))),
      file('b.yaml', ...Array.from({ length: 600 }, (_, index) => client(`b${String(index)}`))),
    ],
    fault: 'there are more than 1000 clients',
  },
])('$what is refused, with the place', ({ files, fault }) => {
  let faults: readonly string[] = []
  try {
    parsed(...files)
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    faults = error.faults.map(showFault)
  }
  expect(faults).toEqual([fault])
})

test.each([
  {
    what: 'of the form',
    clients: [client('one'), client('two', { lifetime: 0 })],
    says: /^a\.yaml: clients\[1\]\.lifetime: .* \(two\)$/,
  },
  {
    what: 'of what it says',
    clients: [client('one'), client('one')],
    says: /^a\.yaml: clients\[1\]\.id: another client or a user has this id \(one\)$/,
  },
])('a fault $what tells which client it is', ({ clients, says }) => {
  expect(() => parsed(file('a.yaml', ...clients))).toThrow(says)
})
