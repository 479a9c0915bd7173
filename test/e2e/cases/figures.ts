import { CHART_DEMO, CHART_SYSTEM, FULLNAME, logOf, plainPod } from '../chart.ts'
import type { Cluster } from '../cluster.ts'
import { DEMO, type PodObject } from '../pods.ts'
import { until, type Case } from '../world.ts'

/** The pod of the README. */
const SETTLED = 'hello'
const SETTLED_SECONDS = 300
const PAIRS = 5

/** Prints when it has what it was started for, in Unix milliseconds. */
const startsAtOnce = 'console.log(Date.now());setInterval(() => {}, 60000)'
const startsWithToken = `
fetch(process.env.LUMOAUTH_URL + '/v1/token', { headers: { 'Lumo-Broker': 'true' } })
  .then((answer) => answer.json()).then(({ access_token: token }) => { if (token) console.log(Date.now()) })
setInterval(() => {}, 60000)`

/** Prints what it costs: the wait of an application for its first token, and what is held at rest. */
export const figures: Case = {
  name: 'figures',
  async run({ cluster }) {
    // Once before, so that neither is the first of its image on a node.
    await startOf(cluster, 'warm', true)
    const seconds: [bare: number[], injected: number[]] = [[], []]
    for (let pair = 0; pair < PAIRS; pair += 1) {
      seconds[0].push(await startOf(cluster, `timed-bare-${String(pair)}`, false))
      seconds[1].push(await startOf(cluster, `timed-${String(pair)}`, true))
    }
    const [bare, injected] = seconds.map(
      (all) => all.toSorted((a, b) => a - b)[Math.floor(PAIRS / 2)] ?? Number.NaN,
    ) as [number, number]
    print(
      `pod creation to the first token ${injected.toFixed(2)} s; the same pod without a label to its start ${bare.toFixed(2)} s (medians of ${String(PAIRS)})`,
    )
    await untilOld(cluster, SETTLED)
    await atRest(cluster)
  },
}

/** Seconds from the moment before the pod is sent to the API server. Nodes and this machine have the same clock. */
async function startOf(cluster: Cluster, name: string, labelled: boolean): Promise<number> {
  const pod = plainPod(name, { script: labelled ? startsWithToken : startsAtOnce, labelled })
  const begun = Date.now()
  await cluster.apply(pod)
  const at = await until(`${name} to start`, async () => (await logOf(cluster, name)) || undefined)
  await cluster.kubectl('-n', CHART_DEMO, 'delete', 'pod', name, '--grace-period=1')
  return (Number(at) - begun) / 1000
}

/** A sidecar is looked at when it is five minutes old. */
async function untilOld(cluster: Cluster, pod: string): Promise<void> {
  const { metadata } = (await cluster.get('pod', pod, DEMO)) as PodObject
  const age = (Date.now() - Date.parse(metadata.creationTimestamp)) / 1000
  await new Promise((wake) => setTimeout(wake, Math.max(0, SETTLED_SECONDS - age) * 1000))
}

interface Stats {
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string }
    readonly containers: readonly {
      readonly name: string
      readonly cpu: { readonly usageNanoCores?: number }
      readonly memory: { readonly workingSetBytes?: number; readonly rssBytes?: number }
    }[]
  }[]
}

/** What the kubelets say of the containers of the product, at rest. */
async function atRest(cluster: Cluster): Promise<void> {
  const nodes = (await cluster.kubectl('get', 'nodes', '-o', 'name')).trim().split('\n')
  for (const node of nodes) {
    const path = `/api/v1/nodes/${node.replace('node/', '')}/proxy/stats/summary`
    const { pods } = JSON.parse(await cluster.kubectl('get', '--raw', path)) as Stats
    for (const { podRef, containers } of pods) {
      const isOurs = podRef.namespace === CHART_SYSTEM && podRef.name.startsWith(`${FULLNAME}-`)
      if (!isOurs && podRef.name !== SETTLED) continue
      for (const { name, cpu, memory } of containers.filter((one) => one.name !== 'app')) {
        print(
          `${podRef.name.padEnd(40)} ${name.padEnd(12)} working set ${megabytes(memory.workingSetBytes)}, anonymous ${megabytes(memory.rssBytes)}, ${((cpu.usageNanoCores ?? 0) / 1e6).toFixed(1)} millicores`,
        )
      }
    }
  }
}

function megabytes(bytes = Number.NaN): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

function print(line: string): void {
  process.stdout.write(`       ${line}\n`)
}
