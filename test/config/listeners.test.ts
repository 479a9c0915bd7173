import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { allInOne, faultsOf, nodeBroker, sidecar } from '../fakes/config_documents.ts'

const operationsAt = (listen: string, document: object) => ({
  ...document,
  operations: { listen },
})

const gateway = { name: 'docs', audience: 'https://a.example' }
const proxied = { ...gateway, upstream: 'https://a.example', methods: ['GET'], paths: ['/**'] }

const faulty: readonly (readonly [
  name: string,
  document: unknown,
  ...faults: readonly string[],
])[] = [
  [
    'twice the same of the broker',
    sidecar({ listen: ['127.0.0.1:9180', '127.0.0.1:9180'] }),
    'broker.listen[1]: broker.listen[0] has this address already',
  ],
  [
    'the same of the broker, written in another way',
    nodeBroker({ listen: ['[::1]:9180', '[0:0:0:0:0:0:0:1]:9180'] }),
    'broker.listen[1]: broker.listen[0] has this address already',
  ],
  [
    'that of operations for the broker',
    operationsAt('127.0.0.1:9180', sidecar({ listen: ['[::1]:9180', '127.0.0.1:9180'] })),
    'broker.listen[1]: operations.listen has this address already',
  ],
  [
    'that of operations, by its default, for a node broker',
    nodeBroker({ listen: ['[::]:9190'] }),
    'broker.listen[0]: operations.listen has this address already',
  ],
  [
    'one for all of a broker',
    sidecar({
      listen: ['127.0.0.1:9180'],
      proxy: { listen: ['127.0.0.1:9180'], routes: [proxied] },
      authorization: { listen: ['127.0.0.1:9180'], routes: [gateway] },
    }),
    'broker.proxy.listen[0]: broker.listen[0] has this address already',
    'broker.authorization.listen[0]: broker.listen[0] has this address already',
  ],
  [
    'one for all',
    operationsAt(
      '127.0.0.1:9170',
      allInOne({ listen: ['127.0.0.1:9170'] }, { listen: '127.0.0.1:9170' }),
    ),
    'authority.listen: operations.listen has this address already',
    'broker.listen[0]: operations.listen has this address already',
  ],
]

for (const [name, document, ...faults] of faulty) {
  test(`two listeners cannot have one address: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}

const sound: readonly (readonly [name: string, document: unknown])[] = [
  ['the same port of both loopbacks', sidecar({ listen: ['127.0.0.1:9180', '[::1]:9180'] })],
  ['the same host', operationsAt('127.0.0.1:9190', sidecar({ listen: ['127.0.0.1:9180'] }))],
  [
    'ports that are chosen later',
    operationsAt('127.0.0.1:0', sidecar({ listen: ['127.0.0.1:0', '127.0.0.1:0'] })),
  ],
  ['a socket', operationsAt('127.0.0.1:9180', sidecar({ listen: ['unix:/run/broker.sock'] }))],
]

test.each(sound)('listeners can have %s', (_name, document) => {
  expect(() => resolveConfig(document, {})).not.toThrow()
})
