import assert from 'node:assert/strict'
import { DEMO } from '../pods.ts'
import { idlePod, proofToken } from '../proof_tokens.ts'
import { refusalsOf, reviewingAuthority } from '../reviewing.ts'
import { audienceOf, PINNED } from '../reviewing_authority.ts'
import type { Case } from '../world.ts'

const NAME = 'uid-pin'

/** An account that was deleted and made again has its name and not its uid: a rule that names the uid does not mean it. */
export const uidPin: Case = {
  name: 'uid pin',
  async begin({ cluster }) {
    await reviewingAuthority(cluster)
    await idlePod(cluster, NAME, PINNED)
  },
  async run({ cluster }) {
    const exchange = await reviewingAuthority(cluster)
    const statusFor = async (provider: 'offline' | 'preferred'): Promise<number> => {
      const bound = { kind: 'Pod', name: NAME } as const
      const token = await proofToken(cluster, PINNED, [audienceOf(provider)], bound)
      return (await exchange(token)).status
    }
    assert.equal(await statusFor('offline'), 200, 'by uid, of the first account')
    assert.equal(await statusFor('preferred'), 200, 'by name, of the first account')
    await cluster.kubectl('-n', DEMO, 'delete', 'serviceaccount', PINNED)
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: PINNED, namespace: DEMO },
    })
    assert.equal(await statusFor('offline'), 400, 'by uid, of the second account')
    assert.equal((await refusalsOf(cluster)).at(-1), 'unmatched')
    assert.equal(await statusFor('preferred'), 200, 'by name, of the second account')
  },
}
