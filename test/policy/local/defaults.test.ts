import { expect, test } from 'vitest'
import { DocumentFault, showFault } from '../../../src/config/document.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'

type Part = Readonly<Record<string, unknown>>

function faultsOf(workload: Part): readonly string[] {
  const document = { workloads: [{ name: 'a', ...workload }] }
  try {
    LocalPolicy.parse([{ path: 'p.json', bytes: Buffer.from(JSON.stringify(document)) }])
  } catch (error) {
    if (error instanceof DocumentFault) return error.faults.map(showFault)
    throw error
  }
  return []
}

const W = 'p.json: workloads[0]'
const audience = 'urn:a'

test.each<[string, Part, ...string[]]>([
  ['a target of any, and an agent', { defaults: { audience, agent: 'b' } }],
  ['a target that a pattern allows', { allow: [{ audience: 'urn:*' }], defaults: { audience } }],
  ['an agent beside any pair', { allow: [{}], defaults: { agent: 'b' } }],
  ['nothing', { allow: [{}], defaults: {} }],
  [
    'a target that is not allowed',
    { allow: [{ audience: 'urn:b' }], defaults: { audience } },
    `${W}.defaults.audience: must be an audience that \`allow\` allows`,
  ],
  [
    'a target that hides a pair',
    { allow: [{ audience }, {}], defaults: { audience } },
    `${W}.defaults.audience: must be absent beside a pair for requests that name no target`,
  ],
  [
    'a target with a space',
    { defaults: { audience: 'a b' } },
    `${W}.defaults.audience: must be printable ASCII without spaces`,
  ],
  [
    'a target beside a pair that is wrong',
    { allow: [{ audience: 'https://a*' }], defaults: { audience } },
    `${W}.allow[0].audience: a * at the end of a host reaches into hosts of others`,
  ],
  ['a scope', { defaults: { scope: 'a' } }, `${W}.defaults.scope: there is no such setting`],
])('for requests that leave it out %s', (_name, workload, ...faults) => {
  expect(faultsOf(workload)).toEqual(faults)
})
