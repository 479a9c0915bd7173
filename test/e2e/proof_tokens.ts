import type { Cluster } from './cluster.ts'
import { DEMO, scriptPod, untilReady } from './pods.ts'

/** What a token is bound to. */
export interface BoundTo {
  readonly kind: 'Pod' | 'Node' | 'Secret'
  readonly name: string
}

/** A token by TokenRequest, as the kubelet and everybody else who may gets it. Without audiences: for the API server. */
export async function proofToken(
  cluster: Cluster,
  account: string,
  audiences: readonly string[],
  bound?: BoundTo,
): Promise<string> {
  const binding = bound && ['--bound-object-kind', bound.kind, '--bound-object-name', bound.name]
  const token = await cluster.kubectl(
    '-n',
    DEMO,
    'create',
    'token',
    account,
    '--duration=600s',
    '--request-timeout=5s',
    ...audiences.map((audience) => `--audience=${audience}`),
    ...(binding ?? []),
  )
  return token.trim()
}

/** A pod of an account that does nothing and ends when it is told to. */
export async function idlePod(cluster: Cluster, name: string, account: string): Promise<BoundTo> {
  await cluster.apply(
    await scriptPod(name, {
      serviceAccountName: account,
      terminationGracePeriodSeconds: 1,
      container: { command: ['node', '-e', 'setInterval(() => {}, 60000)'] },
    }),
  )
  await untilReady(cluster, name)
  return { kind: 'Pod', name }
}
