import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { injectingProxy } from './cases/acting/injecting_proxy.ts'
import { revocation } from './cases/acting/revocation.ts'
import { twoHops } from './cases/acting/two_hops.ts'
import { audit } from './cases/audit.ts'
import { authorityRestart } from './cases/authority_restart.ts'
import { badSetups } from './cases/bad_setup.ts'
import { chartCaChange } from './cases/chart/ca_change.ts'
import { chartInjection } from './cases/chart/injection.ts'
import { chartInstall, chartToken } from './cases/chart/install.ts'
import { chartMesh } from './cases/chart/mesh.ts'
import { chartRefusals, chartWithoutWebhook } from './cases/chart/refusals.ts'
import { chartRollout } from './cases/chart/rollout.ts'
import { chartNothingKept, chartUninstall } from './cases/chart/uninstall.ts'
import { chartUpgrade } from './cases/chart/upgrade.ts'
import { chartAllInOne, chartJobs, chartNode, chartStatefulSet } from './cases/chart/workloads.ts'
import { commands } from './cases/commands.ts'
import { deletion } from './cases/deletion.ts'
import { discovery } from './cases/discovery.ts'
import { dropIn } from './cases/drop_in.ts'
import { figures } from './cases/figures.ts'
import { fileSink } from './cases/file_sink.ts'
import { firstToken } from './cases/first_token.ts'
import { guards } from './cases/guards.ts'
import { hostNetwork } from './cases/host_network.ts'
import { image } from './cases/image.ts'
import { keyRotation } from './cases/key_rotation.ts'
import { noSecret } from './cases/no_secret.ts'
import { neighbours } from './cases/neighbours.ts'
import { nodeBroker, otherNode } from './cases/node_broker.ts'
import { proofs } from './cases/proofs.ts'
import { resourceServer } from './cases/resource_server.ts'
import { restricted } from './cases/restricted.ts'
import { rotation } from './cases/rotation.ts'
import { socket } from './cases/socket.ts'
import { stranger } from './cases/stranger.ts'
import { uidPin } from './cases/uid_pin.ts'
import { choose } from './chosen.ts'
import { BROKER_IMAGE, Cluster } from './cluster.ts'
import { printDiagnosis } from './diagnosis.ts'
import { shell } from './shell.ts'
import { makeWorld, type Case, type World } from './world.ts'

/**
 * `npm run e2e [-- --only NAME]... [-- --keep]`: builds the image, creates a kind cluster, runs the documentation's commands
 * in it, then the tests. The kubelet's rotation takes eight minutes, so that test begins first and ends last. `-- --kept FILE
 * --only NAME` runs tests in the cluster that an earlier run kept, as it is; FILE is the kubeconfig that it printed.
 */
const cases: readonly Case[] = [
  image,
  firstToken,
  guards,
  noSecret,
  stranger,
  resourceServer,
  nodeBroker,
  otherNode,
  neighbours,
  dropIn,
  socket,
  fileSink,
  commands,
  hostNetwork,
  ...badSetups,
  restricted,
  authorityRestart,
  proofs,
  deletion,
  uidPin,
  discovery,
  chartToken,
  chartInstall,
  chartInjection,
  twoHops,
  injectingProxy,
  revocation,
  chartRefusals,
  chartWithoutWebhook,
  chartJobs,
  chartStatefulSet,
  chartRollout,
  chartMesh,
  chartAllInOne,
  chartUpgrade,
  chartNode,
  figures,
  chartCaChange,
  chartUninstall,
  chartNothingKept,
  rotation,
  audit,
  // Last, for it restarts the API server.
  keyRotation,
]

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    keep: { type: 'boolean', default: false },
    kept: { type: 'string' },
  },
})
const choice = choose(cases, values.only)
if ('fault' in choice) {
  print(choice.fault)
  process.exitCode = 2
} else {
  const chosen = choice.cases
  const failed = await runAll(chosen)
  const passed = chosen.length - failed.length
  print(`${String(passed)} passed, ${String(failed.length)} failed`)
  const file = process.env['COUNT_FILE']
  if (file !== undefined) writeFileSync(file, `${String(passed)} ${String(failed.length)}\n`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

async function runAll(all: readonly Case[]): Promise<readonly string[]> {
  const { kept } = values
  if (kept === undefined) await timed('build the image', buildImage)
  const cluster =
    kept === undefined
      ? await timed('create the cluster', () => Cluster.create())
      : Cluster.kept(kept)
  const failed: string[] = []
  try {
    const world =
      kept === undefined
        ? await timed('run the commands of the README and of docs/by-hand.md', () =>
            makeWorld(cluster),
          )
        : { cluster, installed: { output: '', seconds: Number.NaN }, byHand: '' }
    for (const one of rotationFirst(all)) await attempt(one, 'begin', world, failed)
    for (const one of all) if (!failed.includes(one.name)) await attempt(one, 'run', world, failed)
  } catch (error) {
    print(`FAILED ${String(error)}`)
    await printDiagnosis(cluster)
    failed.push(...all.map(({ name }) => name).filter((name) => !failed.includes(name)))
  } finally {
    if (values.keep || kept !== undefined) print(`kept; KUBECONFIG=${cluster.kubeconfig}`)
    else await cluster.delete()
  }
  return failed
}

function rotationFirst(all: readonly Case[]): readonly Case[] {
  return all.toSorted((a, b) => Number(b === rotation) - Number(a === rotation))
}

async function attempt(
  one: Case,
  part: 'begin' | 'run',
  world: World,
  failed: string[],
): Promise<void> {
  const begun = performance.now()
  try {
    await (part === 'begin' ? one.begin?.(world) : one.run(world))
    if (part === 'run') print(`ok     ${one.name} (${seconds(begun)})`)
  } catch (error) {
    failed.push(one.name)
    print(
      `FAILED ${one.name} (${part}, ${seconds(begun)}): ${error instanceof Error ? error.message : 'unknown'}`,
    )
    await printDiagnosis(world.cluster)
  }
}

async function buildImage(): Promise<void> {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  await shell(['docker', 'build', '--network', 'host', '-t', BROKER_IMAGE, root], {
    timeoutMs: 1_200_000,
  })
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  const result = await work()
  print(`       ${what} (${seconds(begun)})`)
  return result
}

function seconds(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
