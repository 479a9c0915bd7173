import assert from 'node:assert/strict'
import { idlePod, proofToken } from '../proof_tokens.ts'
import { askedByIt, reviewingAuthority } from '../reviewing.ts'
import { audienceOf, PROVER } from '../reviewing_authority.ts'
import type { Case } from '../world.ts'

const NAME = 'discovery'

/** The keys of a cluster are found by its discovery document, which names another host than the issuer's. */
export const discovery: Case = {
  name: 'discovery',
  async begin({ cluster }) {
    await reviewingAuthority(cluster)
    await idlePod(cluster, NAME, PROVER)
  },
  async run({ cluster }) {
    const exchange = await reviewingAuthority(cluster)
    const bound = { kind: 'Pod', name: NAME } as const
    const token = await proofToken(cluster, PROVER, [audienceOf('discovered')], bound)
    const { status, body } = await exchange(token)
    assert.equal(status, 200, JSON.stringify(body['error']))
    const asked = await askedByIt(cluster)
    assert.ok(asked.has('get /.well-known/openid-configuration 200'))
    assert.ok(asked.has('get /openid/v1/jwks 200'))
  },
}
