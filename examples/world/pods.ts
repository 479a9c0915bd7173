import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localCluster, newClusterKey, type LocalPod } from '../../src/dev/cluster.ts'
import { rotateToken } from '../../src/dev/kubelet.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import type { Random } from '../../src/platform/random.ts'
import { agentNames, NAMESPACE } from './configuration.ts'

export const CLUSTER_ISSUER = 'https://cluster.example'
const PROOF_LIFETIME_SECONDS = 600

interface PodDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * What Kubernetes does for the pods of the agents: a projected token in the folder of each, replaced before it ends, and the
 * keys by which the authority knows them. Gives what ends that.
 */
export async function startPods(
  folder: string,
  audience: string,
  { clock, random, log }: PodDependencies,
): Promise<() => void> {
  const cluster = await localCluster(CLUSTER_ISSUER, newClusterKey(), { clock, random })
  const keys = await cluster.app.inject('/openid/v1/jwks')
  await writeFile(join(folder, 'cluster-keys.json'), keys.body)
  const rotations = await Promise.all(
    agentNames.map((name) => {
      const pod = podOf(name, random)
      const makeToken = () => cluster.token(pod, audience, PROOF_LIFETIME_SECONDS)
      const volume = join(folder, name)
      return rotateToken(volume, PROOF_LIFETIME_SECONDS, makeToken, { clock, random, log })
    }),
  )
  return () => {
    for (const rotation of rotations) rotation.stop()
  }
}

function podOf(name: string, random: Random): LocalPod {
  return {
    namespace: NAMESPACE,
    serviceAccount: { name, uid: random.uuid() },
    pod: { name: `${name}-0`, uid: random.uuid() },
    node: { name: 'laptop', uid: random.uuid() },
  }
}
