import { CHART_DEMO, logOf, plainPod } from '../chart.ts'
import type { Cluster } from '../cluster.ts'
import { DEMO, SIDECAR, type PodObject } from '../pods.ts'
import { shell } from '../shell.ts'
import { until, type Case } from '../world.ts'

const SETTLED_SECONDS = 300
const PAIRS = 5

/** Prints when it has what it was started for, in Unix milliseconds. */
const startsAtOnce = 'console.log(Date.now());setInterval(() => {}, 60000)'
const startsWithToken = `
fetch(process.env.LUMOAUTH_URL + '/v1/token', { headers: { 'Lumo-Broker': 'true' } })
  .then((answer) => answer.json()).then(({ access_token: token }) => { if (token) console.log(Date.now()) })
setInterval(() => {}, 60000)`

/** Prints what it costs: the wait of an application for its first token, the sidecar's memory. */
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
    await memoryAfter(cluster, 'hello')
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

async function memoryAfter(cluster: Cluster, pod: string): Promise<void> {
  const { metadata, spec, status } = (await cluster.get('pod', pod, DEMO)) as PodObject
  const age = (Date.now() - Date.parse(metadata.creationTimestamp)) / 1000
  if (age < SETTLED_SECONDS) {
    await new Promise((wake) => setTimeout(wake, (SETTLED_SECONDS - age) * 1000))
  }
  const sidecar = status.initContainerStatuses?.find(({ name }) => name === SIDECAR)
  const id = (sidecar?.containerID ?? '').replace('containerd://', '')
  const memory = await statusOf(spec.nodeName, id)
  const kilobytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(memory)?.[1] ?? Number.NaN)
  print(
    `sidecar after five minutes: resident ${megabytes(kilobytes('VmRSS') * 1024)}, anonymous ${megabytes(kilobytes('RssAnon') * 1024)}`,
  )
}

/** `/proc/PID/status` of a container's first process, found on its node by the container's id in the cgroup. */
function statusOf(node: string, containerId: string): Promise<string> {
  const script = `cat $(dirname $(grep -l ${containerId} /proc/[0-9]*/cgroup | head -1))/status`
  return shell(['docker', 'exec', node, 'sh', '-c', script])
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

function print(line: string): void {
  process.stdout.write(`       ${line}\n`)
}
