import assert from 'node:assert/strict'
import { DEMO } from '../pods.ts'
import { idlePod, proofToken } from '../proof_tokens.ts'
import { askedByIt, refusalsOf, reviewingAuthority } from '../reviewing.ts'
import { audienceOf, PROVER } from '../reviewing_authority.ts'
import { until, type Case } from '../world.ts'

const NAME = 'deleted'
/** Ours and the API server's own memory of good tokens, ten seconds each, and what a pod takes to end. */
const PATIENCE_SECONDS = 25

/** With TokenReview the tokens of a pod end with it; by signature and date alone they live on until they expire. */
export const deletion: Case = {
  name: 'deletion',
  async begin({ cluster }) {
    await reviewingAuthority(cluster)
    await idlePod(cluster, NAME, PROVER)
  },
  async run({ cluster }) {
    const exchange = await reviewingAuthority(cluster)
    const tokenFor = (provider: 'required' | 'preferred' | 'offline') =>
      proofToken(cluster, PROVER, [audienceOf(provider)], { kind: 'Pod', name: NAME })
    const required = await tokenFor('required')
    const preferred = await tokenFor('preferred')
    const offline = await tokenFor('offline')
    for (const token of [required, preferred, offline]) {
      assert.equal((await exchange(token)).status, 200, 'while the pod is there')
    }
    const begun = performance.now()
    await cluster.kubectl('-n', DEMO, 'delete', 'pod', NAME, '--wait=false')
    const untilRefused = (token: string) =>
      until(
        'a refusal after the deletion',
        async () => ((await exchange(token)).status === 400 ? true : undefined),
        PATIENCE_SECONDS,
      )
    await untilRefused(required)
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    process.stdout.write(`       refused ${seconds} s after the pod was deleted\n`)
    assert.equal((await refusalsOf(cluster)).at(-1), 'review_denied')
    await untilRefused(preferred)
    assert.equal((await exchange(offline)).status, 200, 'until it expires')
    const asked = await askedByIt(cluster)
    assert.ok(asked.has('create /apis/authentication.k8s.io/v1/tokenreviews 201'))
    const failed = [...asked].filter((line) => / 40[13]$/.test(line))
    assert.deepEqual(failed, [], 'no other permission was needed')
  },
}
