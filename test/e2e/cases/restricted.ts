import assert from 'node:assert/strict'
import { stringify } from 'yaml'
import { SYSTEM } from '../authority.ts'
import { APP_IMAGE } from '../cluster.ts'
import { DEMO } from '../pods.ts'
import type { Case } from '../world.ts'

const ENFORCE = 'pod-security.kubernetes.io/enforce'

interface NamespaceObject {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
}

/** Our pods run where Pod Security `restricted` is enforced, and it is enforced there. */
export const restricted: Case = {
  name: 'restricted',
  async run({ cluster }) {
    for (const namespace of [SYSTEM, DEMO]) {
      const object = JSON.parse(
        await cluster.kubectl('get', 'namespace', namespace, '-o', 'json'),
      ) as NamespaceObject
      assert.equal(object.metadata.labels[ENFORCE], 'restricted')
      const { stderr } = await cluster.tryKubectl([
        'label',
        '--dry-run=server',
        '--overwrite',
        'namespace',
        namespace,
        `${ENFORCE}=restricted`,
      ])
      assert.equal(stderr, '', 'no pod of the namespace would be refused')
    }
    const plain = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'privileged', namespace: DEMO },
      spec: { containers: [{ name: 'a', image: APP_IMAGE }] },
    }
    const { code, stderr } = await cluster.tryKubectl(['apply', '-f', '-'], stringify(plain))
    assert.equal(code, 1)
    assert.match(stderr, /violates PodSecurity "restricted/)
  },
}
