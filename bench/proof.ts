import { createHash, createPublicKey } from 'node:crypto'
import { exportJWK } from 'jose'
import { localCluster, newClusterKey } from '../src/dev/cluster.ts'
import { systemClock } from '../src/platform/clock.ts'
import { systemRandom } from '../src/platform/random.ts'

export const CLUSTER_ISSUER = 'https://cluster.example'

const pod = {
  namespace: 'bench',
  serviceAccount: { name: 'bench', uid: 'b1' },
  pod: { name: 'bench-0', uid: 'b2' },
  node: { name: 'bench', uid: 'b3' },
}

/** A pod's proof that lives as long as a bench, and the keys that verify it. */
export async function makeProof(
  audience: string,
): Promise<{ readonly proof: string; readonly jwks: object }> {
  const key = newClusterKey()
  const around = { clock: systemClock, random: systemRandom }
  const cluster = await localCluster(CLUSTER_ISSUER, key, around)
  const publicKey = createPublicKey(key)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const kid = createHash('sha256').update(der).digest('base64url')
  const jwk = { use: 'sig', alg: 'RS256', kid, ...(await exportJWK(publicKey)) }
  return { proof: await cluster.token(pod, audience, 7_200), jwks: { keys: [jwk] } }
}
