import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { helmBinary } from '../chart/helm_binary.ts'
import { attempt, shell, type ShellResult } from './shell.ts'

/** Whoever creates a cluster ends the one of that name: a second run beside another one needs a name of its own. */
const NAME = process.env['E2E_CLUSTER'] ?? 'lumo-e2e'
export const CONTROL_PLANE = `${NAME}-control-plane`
export const APP_IMAGE = 'node:26.10.0-bookworm-slim'
export const BROKER_IMAGE = 'lumo-broker:dev'

/** Any Kubernetes object. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

const at = (file: string): URL => new URL(file, import.meta.url)

/** The cluster of `deploy/kind/cluster.yaml`, whose API server keeps an audit log: a test looks for refusals of ours in it. */
async function audited(folder: string): Promise<string> {
  const text = await readFile(at('../../deploy/kind/cluster.yaml'), 'utf8')
  const config = parse(text) as { readonly nodes: readonly { readonly role: string }[] }
  const patch = parse(
    (await readFile(at('audited_control_plane.yaml'), 'utf8')).replace('AUDIT_FOLDER', folder),
  ) as object
  const nodes = config.nodes.map((node) =>
    node.role === 'control-plane' ? { ...node, ...patch } : node,
  )
  return stringify({ ...config, nodes })
}

/** A kind cluster for one run, and what tests do with it. */
export class Cluster {
  readonly #folder: string
  readonly #kubeconfig: string

  private constructor(folder: string) {
    this.#folder = folder
    this.#kubeconfig = join(folder, 'kubeconfig')
  }

  /** Creates the cluster anew and brings the images in. */
  static async create(): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'lumo-e2e-'))
    const cluster = new Cluster(folder)
    await writeFile(join(folder, 'policy.yaml'), await readFile(at('audit_policy.yaml')))
    const config = await audited(folder)
    await shell(['kind', 'delete', 'cluster', '--name', NAME])
    const image = process.env['KIND_NODE_IMAGE']
    await shell(
      [
        'kind',
        'create',
        'cluster',
        '--name',
        NAME,
        '--config',
        '-',
        '--wait',
        '180s',
        '--kubeconfig',
        cluster.#kubeconfig,
        ...(image ? ['--image', image] : []),
      ],
      { input: config, timeoutMs: 600_000 },
    )
    for (const loaded of [BROKER_IMAGE, APP_IMAGE]) {
      await shell(['kind', 'load', 'docker-image', loaded, '--name', NAME], { timeoutMs: 600_000 })
    }
    return cluster
  }

  /** The cluster that an earlier run kept; `kubeconfig` is what that run printed. */
  static kept(kubeconfig: string): Cluster {
    return new Cluster(dirname(kubeconfig))
  }

  async delete(): Promise<void> {
    await shell(['kind', 'delete', 'cluster', '--name', NAME])
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** How to reach the cluster after `--keep`. */
  get kubeconfig(): string {
    return this.#kubeconfig
  }

  tryKubectl(args: readonly string[], input?: string): Promise<ShellResult> {
    const command = ['kubectl', '--kubeconfig', this.#kubeconfig, ...args]
    return attempt(command, input === undefined ? {} : { input })
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return shell(['kubectl', '--kubeconfig', this.#kubeconfig, ...args])
  }

  async apply(...manifests: readonly Manifest[]): Promise<void> {
    const text = manifests.map((manifest) => stringify(manifest)).join('---\n')
    const { code, stderr } = await this.tryKubectl(['apply', '-f', '-'], text)
    if (code !== 0) throw new Error(`kubectl apply: ${stderr}`)
  }

  /** An object as the API server has it. */
  async get(kind: string, name: string, namespace: string): Promise<unknown> {
    return JSON.parse(await this.kubectl('-n', namespace, 'get', kind, name, '-o', 'json'))
  }

  /** Runs shell commands as a reader of the documentation would, with this cluster. */
  paste(commands: string, workingFolder: string): Promise<string> {
    const script = `set -euo pipefail\nexport KUBECONFIG='${this.#kubeconfig}' PATH="$PATH:${dirname(helmBinary())}"\n${commands}`
    return shell(['bash', '-c', script], { workingFolder, timeoutMs: 600_000 })
  }

  /** A command inside a container; what it prints. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
  ): Promise<string> {
    return this.kubectl('-n', namespace, 'exec', pod, '-c', container, '--', ...command)
  }

  /** A command on a node itself; what it prints. */
  onNode(node: string, command: readonly string[], input = ''): Promise<string> {
    return shell(['docker', 'exec', '-i', node, ...command], { input })
  }

  /** A file of the control plane's node. */
  nodeFile(path: string): Promise<string> {
    return this.onNode(CONTROL_PLANE, ['cat', path])
  }
}

/** The objects of a manifest file of `deploy/by-hand/`. */
export async function manifestsOf(file: string): Promise<readonly Manifest[]> {
  const text = await readFile(new URL(`../../deploy/by-hand/${file}`, import.meta.url), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}
