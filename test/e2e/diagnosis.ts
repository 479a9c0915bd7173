import { SYSTEM } from './authority.ts'
import { CHART_DEMO } from './chart.ts'
import type { Cluster } from './cluster.ts'
import { DEMO } from './pods.ts'
import { REVIEWING } from './reviewing_authority.ts'

/** Prints what is needed to see why a test failed: pods, events, descriptions, logs. */
export async function printDiagnosis(cluster: Cluster): Promise<void> {
  for (const namespace of [SYSTEM, DEMO, CHART_DEMO, REVIEWING]) {
    await show(cluster, ['-n', namespace, 'get', 'pods', '-o', 'wide'])
    await show(cluster, ['-n', namespace, 'get', 'events', '--sort-by=.lastTimestamp'])
    await show(cluster, ['-n', namespace, 'describe', 'pods'])
    const names = await cluster.tryKubectl(['-n', namespace, 'get', 'pods', '-o', 'name'])
    for (const pod of names.stdout.trim().split('\n').filter(Boolean)) {
      await show(cluster, [
        '-n',
        namespace,
        'logs',
        pod,
        '--all-containers',
        '--prefix',
        '--tail=30',
      ])
    }
  }
}

async function show(cluster: Cluster, args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await cluster.tryKubectl(args)
  process.stdout.write(`--- kubectl ${args.join(' ')}\n${stdout}${stderr}`)
}
