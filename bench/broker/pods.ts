import { createHash, createPublicKey } from 'node:crypto'
import { exportJWK } from 'jose'
import { localCluster, newClusterKey } from '../../src/dev/cluster.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { CLUSTER_ISSUER } from '../proof.ts'

export const NODE_NAME = 'bench'
const LIFETIME_SECONDS = 7_200

/** A cluster with one node that runs as many pods as are asked for. */
export interface Pods {
  readonly jwks: object
  /** A projected token of the pod with this number; each call another one, which lasts so many seconds longer. */
  token(pod: number, longer?: number): Promise<string>
}

export async function makePods(audience: string): Promise<Pods> {
  const key = newClusterKey()
  const cluster = await localCluster(CLUSTER_ISSUER, key, {
    clock: systemClock,
    random: systemRandom,
  })
  const publicKey = createPublicKey(key)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const kid = createHash('sha256').update(der).digest('base64url')
  const jwk = { use: 'sig', alg: 'RS256', kid, ...(await exportJWK(publicKey)) }
  return {
    jwks: { keys: [jwk] },
    token: (pod, longer = 0) =>
      cluster.token(
        {
          namespace: 'bench',
          serviceAccount: { name: 'bench', uid: '7d8f0f8e-5a0c-4a34-9a61-2f1f0f6a0001' },
          pod: {
            name: `bench-${String(pod)}`,
            uid: `0b4ad7de-1f0a-4c5b-8d0e-${String(pod).padStart(12, '0')}`,
          },
          node: { name: NODE_NAME, uid: '5c1e9d7a-77aa-4f5e-8f43-9f1f0f6a0002' },
        },
        audience,
        LIFETIME_SECONDS + longer,
      ),
  }
}
