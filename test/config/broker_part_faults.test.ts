import { expect, test } from 'vitest'
import { MAX_AUDIENCES_PER_HOUR } from '../../src/config/bounds.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { allInOne, faultsOf, nodeBroker, sidecar, tls } from '../fakes/config_documents.ts'

type Case = readonly [name: string, document: unknown, ...faults: readonly string[]]

const fromCallers = (changes: object) => allInOne({ proof: { source: 'caller' }, tls, ...changes })
const NO_GUARD = 'broker.dropIn: must be absent where callers prove themselves'
const MODE =
  'must let the owner read, the group no more than that, and others nothing: 0600, 0640 or 0440'
const secret = 'A'.repeat(43)

const dropIns: readonly Case[] = [
  [
    'an unknown guard',
    sidecar({ dropIn: { guard: 'caller' } }),
    'broker.dropIn.guard: must be one of secret, none',
  ],
  [
    'a short secret',
    sidecar({ dropIn: { secret: 'A'.repeat(21) } }),
    'broker.dropIn.secret: must not have fewer than 22 characters',
  ],
  [
    'a secret and a file',
    sidecar({ dropIn: { secret, secretFile: '/s' } }),
    'broker.dropIn: must have secret or secretFile, not both',
  ],
  [
    'no guard beside a secret',
    sidecar({ dropIn: { guard: 'none', secret } }),
    'broker.dropIn: guard none contradicts the guard value beside it',
  ],
  [
    'no guard beside a file',
    sidecar({ dropIn: { guard: 'none', secretFile: '/s' } }),
    'broker.dropIn: guard none contradicts the guard value beside it',
  ],
  ['a secret where callers prove themselves', nodeBroker({ dropIn: { secret } }), NO_GUARD],
  [
    'a file where callers prove themselves',
    fromCallers({ dropIn: { secretFile: '/s' } }),
    NO_GUARD,
  ],
  ['no guard where callers prove themselves', nodeBroker({ dropIn: { guard: 'none' } }), NO_GUARD],
]

const sink = (...sinks: readonly object[]) => sidecar({ sinks })

const files: readonly Case[] = [
  ['no file', sink({}), 'broker.sinks[0]: file must be given'],
  ...['token', 'run/token', '/run/', '/'].map((file): Case => [
    `the file ${file}`,
    sink({ file }),
    'broker.sinks[0].file: must be the absolute path of a file',
  ]),
  [
    'one file twice',
    sink({ file: '/run/t' }, { file: '/run/u' }, { file: '/run/t' }),
    'broker.sinks[2].file: broker.sinks[0].file has this path already',
  ],
  [
    'one file twice, written differently',
    sink({ file: '/run/t' }, { file: '/run/./x/..//t' }),
    'broker.sinks[1].file: broker.sinks[0].file has this path already',
  ],
  ...['0644', '0660', '0700', '0601', '0610', '0777', '0000', '0040', '0200', '0240'].map(
    (mode): Case => [
      `the mode ${mode}`,
      sink({ file: '/run/t', mode }),
      `broker.sinks[0].mode: ${MODE}`,
    ],
  ),
  ...['600', '0o600', '0800', '00600', '-600', '4600', '1600'].map((mode): Case => [
    `the mode ${mode}`,
    sink({ file: '/run/t', mode }),
    "broker.sinks[0].mode: must be four octal digits in quotes, such as '0640'",
  ]),
  [
    'a mode that is a number',
    sink({ file: '/run/t', mode: 600 }),
    "broker.sinks[0].mode: must be four octal digits in quotes, such as '0640'",
  ],
  [
    'a group by name',
    sink({ file: '/run/t', group: 'app' }),
    'broker.sinks[0].group: must be integer',
  ],
  ['a group below 0', sink({ file: '/run/t', group: -1 }), 'broker.sinks[0].group: must be >= 0'],
  [
    'a format',
    sink({ file: '/run/t', format: 'env' }),
    'broker.sinks[0].format: must be one of token, header, json',
  ],
  [
    'a scope',
    sink({ file: '/run/t', scope: 'a "b"' }),
    'broker.sinks[0].scope: is not well-formed',
  ],
  [
    'an audience',
    sink({ file: '/run/t', audience: ['a\nb'] }),
    'broker.sinks[0].audience: is not well-formed',
  ],
  [
    'a resource',
    sink({ file: '/run/t', resource: ['api'] }),
    'broker.sinks[0].resource: is no absolute URI',
  ],
]

const numbers: readonly Case[] = [
  [
    'a long drain delay',
    sidecar({ shutdown: { drainDelay: 301 } }),
    'broker.shutdown.drainDelay: must be <= 300',
  ],
  [
    'a drain delay in parts',
    sidecar({ shutdown: { drainDelay: 0.5 } }),
    'broker.shutdown.drainDelay: must be integer',
  ],
  ['a long grace', sidecar({ shutdown: { grace: 301 } }), 'broker.shutdown.grace: must be <= 300'],
  [
    'a revocation',
    sidecar({ shutdown: { revoke: 'yes' } }),
    'broker.shutdown.revoke: must be boolean',
  ],
  [
    'no exchange',
    sidecar({ limits: { exchangesPerMinute: 0 } }),
    'broker.limits.exchangesPerMinute: must be >= 1',
  ],
  [
    'no audience',
    sidecar({ limits: { audiencesPerHour: 0 } }),
    'broker.limits.audiencesPerHour: must be >= 1',
  ],
  [
    'more audiences than are remembered',
    sidecar({ limits: { audiencesPerHour: MAX_AUDIENCES_PER_HOUR + 1 } }),
    `broker.limits.audiencesPerHour: must be <= ${String(MAX_AUDIENCES_PER_HOUR)}`,
  ],
  ['actDepth 0', sidecar({ limits: { actDepth: 0 } }), 'broker.limits.actDepth: must be >= 1'],
  ['actDepth 11', sidecar({ limits: { actDepth: 11 } }), 'broker.limits.actDepth: must be <= 10'],
  [
    'subjectsAtOnce 0',
    sidecar({ limits: { subjectsAtOnce: 0 } }),
    'broker.limits.subjectsAtOnce: must be >= 1',
  ],
  [
    'subjectsAtOnce 100001',
    sidecar({ limits: { subjectsAtOnce: 100_001 } }),
    'broker.limits.subjectsAtOnce: must be <= 100000',
  ],
  [
    'exchangesPerSubjectPerMinute 0',
    sidecar({ limits: { exchangesPerSubjectPerMinute: 0 } }),
    'broker.limits.exchangesPerSubjectPerMinute: must be >= 1',
  ],
  [
    'exchangesPerSubjectPerMinute 100001',
    sidecar({ limits: { exchangesPerSubjectPerMinute: 100_001 } }),
    'broker.limits.exchangesPerSubjectPerMinute: must be <= 100000',
  ],
  [
    'a termination message in the working folder',
    sidecar({ terminationMessageFile: 'termination-log' }),
    'broker.terminationMessageFile: must be the absolute path of a file',
  ],
  [
    'no policy file',
    sidecar({ policy: '' }),
    'broker.policy: must not have fewer than 1 characters',
  ],
]

for (const [name, document, ...faults] of [...dropIns, ...files, ...numbers]) {
  test(`a broker is refused: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}
