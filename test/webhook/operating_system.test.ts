import { expect, test } from 'vitest'
import { isBoundToWindows } from '../../src/webhook/operating_system.ts'

const windows = { key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }
const required = (nodeSelectorTerms: unknown) => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
})

test.each<[string, unknown, boolean]>([
  ['none', undefined, false],
  ['Windows', required([{ matchExpressions: [windows] }]), true],
  [
    'Linux as well',
    required([{ matchExpressions: [{ ...windows, values: ['windows', 'linux'] }] }]),
    false,
  ],
  [
    'Linux as an alternative',
    required([{ matchExpressions: [windows] }, { matchExpressions: [{ key: 'zone' }] }]),
    false,
  ],
  ['not Windows', required([{ matchExpressions: [{ ...windows, operator: 'NotIn' }] }]), false],
  ['no alternatives', required([]), false],
  ['nothing that can be read', required(null), false],
  [
    'Windows where it can be had',
    { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [windows] } },
    false,
  ],
])('node affinity for %s', (_name, affinity, expected) => {
  expect(isBoundToWindows({ containers: [{ name: 'app' }], affinity })).toBe(expected)
})
