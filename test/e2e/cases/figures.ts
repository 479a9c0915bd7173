import type { Cluster } from '../cluster.ts'
import { agentPod, barePod, podOf, SIDECAR, untilReady } from '../pods.ts'
import { shell } from '../shell.ts'
import type { Case } from '../world.ts'

const WITH = 'timed-with-sidecar'
const WITHOUT = 'timed-without-sidecar'
const SETTLED_SECONDS = 300

/** Prints what it costs: the wait of an application for its sidecar's first token, the sidecar's memory. */
export const figures: Case = {
  name: 'figures',
  async run({ cluster }) {
    // Once before, so that neither is the first of its image on a node.
    await cluster.apply(await barePod(WITHOUT), await agentPod(WITH))
    const without = await secondsToStart(cluster, WITHOUT)
    const withSidecar = await secondsToStart(cluster, WITH)
    print(
      `pod creation to the application's start: with the sidecar and its first token ${withSidecar} s, without ${without} s (whole seconds)`,
    )
    await memoryAfter(cluster, 'hello-agent')
  },
}

/** From the API server's own dates, which have whole seconds. */
async function secondsToStart(cluster: Cluster, pod: string): Promise<string> {
  await untilReady(cluster, pod)
  const { metadata, status } = await podOf(cluster, pod)
  const started = status.containerStatuses?.[0]?.state.running?.startedAt ?? ''
  return String((Date.parse(started) - Date.parse(metadata.creationTimestamp)) / 1000)
}

async function memoryAfter(cluster: Cluster, pod: string): Promise<void> {
  const { metadata, spec, status } = await podOf(cluster, pod)
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
