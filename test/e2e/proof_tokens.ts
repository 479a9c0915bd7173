import { readFile } from 'node:fs/promises'
import type { Cluster } from './cluster.ts'
import { DEMO, scriptPod, untilReady } from './pods.ts'

/** What a token is bound to. */
export interface BoundTo {
  readonly kind: 'Pod' | 'Node' | 'Secret'
  readonly name: string
}

/** A token by TokenRequest, as the kubelet and everybody else who may gets it. Without audiences: for the API server. */
export async function proofToken(cluster: Cluster, ...wish: TokenWish): Promise<string> {
  return (await cluster.kubectl(...tokenCommand(...wish))).trim()
}

type TokenWish = readonly [account: string, audiences: readonly string[], bound?: BoundTo]

/** Makes them through the API server's Service, as pods on a node reach it. */
export async function tokensByService(
  cluster: Cluster,
  node: string,
): Promise<(...wish: TokenWish) => Promise<string>> {
  const at = ['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']
  const server = `https://${await cluster.kubectl(...at)}`
  const config = '/root/e2e-kubeconfig'
  const content = await readFile(cluster.kubeconfig, 'utf8')
  await cluster.onNode(node, ['sh', '-c', `umask 077; cat > ${config}`], content)
  const kubectl = ['kubectl', '--kubeconfig', config, '--server', server]
  return async (...wish) =>
    (await cluster.onNode(node, [...kubectl, ...tokenCommand(...wish)])).trim()
}

function tokenCommand(...[account, audiences, bound]: TokenWish): readonly string[] {
  return [
    '-n',
    DEMO,
    'create',
    'token',
    account,
    '--duration=600s',
    '--request-timeout=5s',
    ...audiences.map((audience) => `--audience=${audience}`),
    ...(bound ? [`--bound-object-kind=${bound.kind}`, `--bound-object-name=${bound.name}`] : []),
  ]
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
