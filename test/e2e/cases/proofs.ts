import assert from 'node:assert/strict'
import type { Cluster } from '../cluster.ts'
import { DEMO } from '../pods.ts'
import { idlePod, proofToken, type BoundTo } from '../proof_tokens.ts'
import { refusalsOf, reviewingAuthority } from '../reviewing.ts'
import { audienceOf, PROVER } from '../reviewing_authority.ts'
import type { Case } from '../world.ts'

const NAME = 'proofs'
const own = [audienceOf('offline')]
const pod: BoundTo = { kind: 'Pod', name: NAME }

interface Shown {
  readonly name: string
  readonly audiences: readonly string[]
  readonly bound: (cluster: Cluster) => BoundTo | undefined | Promise<BoundTo>
  /** Of the operator's log; `accepted` when there is nothing to refuse. */
  readonly outcome: string
}

const shown: readonly Shown[] = [
  { name: 'bound to a pod', audiences: own, bound: () => pod, outcome: 'accepted' },
  { name: 'bound to nothing', audiences: own, bound: () => undefined, outcome: 'not_pod_bound' },
  { name: 'bound to a node', audiences: own, bound: firstNode, outcome: 'not_pod_bound' },
  {
    name: 'bound to a secret',
    audiences: own,
    bound: () => ({ kind: 'Secret', name: NAME }),
    outcome: 'not_pod_bound',
  },
  {
    name: 'for two audiences',
    audiences: [...own, 'https://elsewhere.example'],
    bound: () => pod,
    outcome: 'audience_many',
  },
  {
    name: 'for another audience',
    audiences: ['https://elsewhere.example'],
    bound: () => pod,
    outcome: 'audience_mismatch',
  },
  { name: 'for the API server', audiences: [], bound: () => pod, outcome: 'audience_mismatch' },
]

/** Tokens as the API server really makes them: one bound to a pod and made for us alone is good, and no other. */
export const proofs: Case = {
  name: 'proofs',
  async begin({ cluster }) {
    await reviewingAuthority(cluster)
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: NAME, namespace: DEMO },
      stringData: { a: 'b' },
    })
    await idlePod(cluster, NAME, PROVER)
  },
  async run({ cluster }) {
    const exchange = await reviewingAuthority(cluster)
    for (const { name, audiences, bound, outcome } of shown) {
      const token = await proofToken(cluster, PROVER, audiences, await bound(cluster))
      const { status, body } = await exchange(token)
      const accepted = outcome === 'accepted'
      assert.equal(status, accepted ? 200 : 400, `${name}: ${JSON.stringify(body['error'])}`)
      if (!accepted) assert.equal((await refusalsOf(cluster)).at(-1), outcome, name)
    }
  },
}

async function firstNode(cluster: Cluster): Promise<BoundTo> {
  const name = await cluster.kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')
  return { kind: 'Node', name }
}
