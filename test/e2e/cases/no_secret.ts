import assert from 'node:assert/strict'
import { DEMO } from '../pods.ts'
import type { Case } from '../world.ts'

/** Members of a pod through which a Secret reaches a container, wherever they stand. */
const waysIn = new Set(['secret', 'secretName', 'secretRef', 'secretKeyRef', 'imagePullSecrets'])

/** The API server's copy of the pod names no Secret. */
export const noSecret: Case = {
  name: 'no secret',
  async run({ cluster }) {
    const pod = await cluster.get('pod', 'hello-agent', DEMO)
    assert.deepEqual(waysFound(pod), [])
    // The search would find one.
    assert.deepEqual(waysFound({ volumes: [{ secret: { secretName: 'x' } }] }), [
      'secret',
      'secretName',
    ])
  },
}

function waysFound(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(waysFound)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([member, inner]) => [
    ...(waysIn.has(member) ? [member] : []),
    ...waysFound(inner),
  ])
}
