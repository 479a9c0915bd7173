import { APP_IMAGE, manifestsOf, type Cluster, type Manifest } from './cluster.ts'
import { until } from './world.ts'

export const DEMO = 'demo'
export const SIDECAR = 'lumo-broker'

type Json = Record<string, unknown>

/** How a pod of a test differs from the one in `deploy/by-hand/agent.yaml`. */
export interface PodChanges {
  readonly serviceAccount?: string
  /** ConfigMap with the broker's configuration. */
  readonly config?: string
  /** ConfigMap with the authority's CA. */
  readonly ca?: string
  readonly proof?: { readonly audience?: string; readonly expirationSeconds?: number }
  readonly withoutProof?: boolean
  /** What the application runs. */
  readonly script?: string
  /** Of the sidecar and the application alike, from Secrets. */
  readonly env?: readonly {
    readonly name: string
    readonly secret: string
    readonly key: string
  }[]
  /** A volume in memory of the sidecar and the application, and of no other container. */
  readonly shared?: { readonly name: string; readonly mountPath: string }
}

interface Container extends Json {
  command?: string[]
  env?: Json[]
  volumeMounts?: { readonly name: string; readonly mountPath?: string }[]
}

interface PodSpec extends Json {
  serviceAccountName: string
  initContainers: Container[]
  containers: Container[]
  volumes: Json[]
}

/** The pod of `deploy/by-hand/agent.yaml` under another name, with changes. */
export async function agentPod(name: string, changes: PodChanges = {}): Promise<Manifest> {
  const pod = (await manifestsOf('agent.yaml')).find(({ kind }) => kind === 'Pod')
  if (!pod) throw new Error('deploy/by-hand/agent.yaml has no pod')
  const spec = structuredClone(pod['spec']) as PodSpec
  spec.serviceAccountName = changes.serviceAccount ?? spec.serviceAccountName
  const [sidecar] = spec.initContainers
  const [app] = spec.containers
  if (!sidecar || !app) throw new Error('the pod of deploy/by-hand/agent.yaml lacks a container')
  if (changes.script !== undefined) app.command = ['node', '-e', changes.script]
  spec.volumes = spec.volumes.map((volume) => changedVolume(volume, changes))
  if (changes.withoutProof === true) {
    spec.volumes = spec.volumes.filter((volume) => volume['name'] !== 'proof')
    sidecar.volumeMounts = (sidecar.volumeMounts ?? []).filter((mount) => mount.name !== 'proof')
  }
  for (const container of [sidecar, app]) {
    const env = (changes.env ?? []).map(({ name: variable, secret, key }) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name: secret, key } },
    }))
    container.env = [...(container.env ?? []), ...env]
  }
  if (changes.shared) {
    const { name: volume, mountPath } = changes.shared
    spec.volumes = [...spec.volumes, { name: volume, emptyDir: { medium: 'Memory' } }]
    sidecar.volumeMounts = [...(sidecar.volumeMounts ?? []), { name: volume, mountPath }]
    app.volumeMounts = [...(app.volumeMounts ?? []), { name: volume, mountPath }]
  }
  return { ...pod, metadata: { name, namespace: DEMO }, spec }
}

/** A pod with one container more, like its application but for what it mounts. */
export function withContainer(pod: Manifest, name: string, image: string): Manifest {
  const spec = pod['spec'] as PodSpec
  const [app] = spec.containers
  const { volumeMounts: _mounts, env: _env, ...like } = app ?? {}
  return { ...pod, spec: { ...spec, containers: [...spec.containers, { ...like, name, image }] } }
}

/** A pod with one init container after its sidecar. */
export function withInit(
  pod: Manifest,
  name: string,
  image: string,
  args: readonly string[],
): Manifest {
  const spec = pod['spec'] as PodSpec
  const { command: _command, ...like } = spec.containers[0] ?? {}
  const init = { ...like, name, image, args }
  return { ...pod, spec: { ...spec, initContainers: [...spec.initContainers, init] } }
}

function changedVolume(volume: Json, { config, ca, proof }: PodChanges): Json {
  if (volume['name'] === 'broker-config' && config !== undefined) {
    return { ...volume, configMap: { name: config } }
  }
  if (volume['name'] === 'authority-ca' && ca !== undefined) {
    return { ...volume, configMap: { name: ca } }
  }
  if (volume['name'] !== 'proof' || proof === undefined) return volume
  const [source] = (volume['projected'] as { sources: { serviceAccountToken: Json }[] }).sources
  return {
    ...volume,
    projected: { sources: [{ serviceAccountToken: { ...source?.serviceAccountToken, ...proof } }] },
  }
}

/** A pod that runs a script of Node, and nothing beside it. */
export async function scriptPod(name: string, spec: Json): Promise<Manifest> {
  const pod = await agentPod(name)
  const { initContainers: _sidecar, volumes: _volumes, ...bare } = pod['spec'] as PodSpec
  const [app] = bare.containers
  return {
    ...pod,
    metadata: { name, namespace: DEMO, labels: { app: name } } as Manifest['metadata'],
    spec: {
      ...bare,
      ...spec,
      containers: [{ ...app, ...(spec['container'] as Json), image: APP_IMAGE }],
      container: undefined,
    },
  }
}

/** Calls `/v1/token` four times a second for ever, and prints a line for each failure and for each hundred calls. */
export const callerLoop = `
let calls = 0
setInterval(async () => {
  calls += 1
  try {
    const answer = await fetch('http://127.0.0.1:9180/v1/token', { headers: { 'Lumo-Broker': 'true' } })
    const body = await answer.json()
    if (answer.status !== 200 || !body.access_token) console.log('FAILED', answer.status, body.code)
  } catch (error) {
    console.log('FAILED', error.message, error.cause?.code)
  }
  if (calls % 100 === 0) console.log('calls', calls)
}, 250)`

/** The same of a pod without a sidecar, at the broker of its node. */
export const nodeCallerLoop = callerLoop
  .replace('http://127.0.0.1:9180', 'https://lumo-broker.lumo-system.svc:9180')
  .replace(
    "'Lumo-Broker': 'true'",
    "'Lumo-Broker': 'true', Authorization: 'Bearer ' + require('fs').readFileSync('/var/run/secrets/lumoauth.dev/proof/token', 'utf8').trim()",
  )

/** The pod of `deploy/by-hand/node-agent.yaml` under another name. */
export async function nodePod(name: string, script: string): Promise<Manifest> {
  const pod = (await manifestsOf('node-agent.yaml')).find(({ kind }) => kind === 'Pod')
  if (!pod) throw new Error('deploy/by-hand/node-agent.yaml has no pod')
  const spec = structuredClone(pod['spec']) as PodSpec
  const [app] = spec.containers
  if (app) app.command = ['node', '-e', script]
  return { ...pod, metadata: { name, namespace: DEMO }, spec }
}

export interface ContainerState {
  readonly running?: { readonly startedAt: string }
  readonly waiting?: { readonly reason: string }
  readonly terminated?: { readonly exitCode: number; readonly message?: string }
}

export interface ContainerStatus {
  readonly name: string
  readonly containerID?: string
  readonly restartCount: number
  readonly state: ContainerState
  readonly lastState: ContainerState
}

export interface PodObject {
  readonly metadata: { readonly uid: string; readonly creationTimestamp: string }
  readonly spec: { readonly nodeName: string }
  readonly status: {
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

export async function podOf(cluster: Cluster, name: string): Promise<PodObject> {
  return (await cluster.get('pod', name, DEMO)) as PodObject
}

export async function untilReady(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl(
    '-n',
    DEMO,
    'wait',
    '--for=condition=Ready',
    `pod/${name}`,
    '--timeout=180s',
  )
}

/** Waits for a text in the log of a container. */
export function untilLogged(
  cluster: Cluster,
  [namespace, pod, container]: readonly [namespace: string, pod: string, container: string],
  pattern: RegExp,
): Promise<string> {
  return until(`${String(pattern)} in the log of ${pod}`, async () => {
    const text = await cluster.kubectl('-n', namespace, 'logs', pod, '-c', container, '--tail=500')
    return pattern.test(text) ? text : undefined
  })
}

/** Runs a script of Node in the application's container; what it prints, as JSON. */
export async function inApp(cluster: Cluster, pod: string, script: string): Promise<unknown> {
  return JSON.parse(await cluster.exec(DEMO, pod, 'app', ['node', '-e', script]))
}

export interface TokenBody {
  readonly access_token: string
  readonly expires_in: number
}

/** A token as the application gets it: by plain Node fetch. */
export async function tokenIn(cluster: Cluster, pod: string, query = ''): Promise<TokenBody> {
  const script = `fetch('http://127.0.0.1:9180/v1/token${query}', { headers: { 'Lumo-Broker': 'true' } }).then(async (r) => console.log(await r.text()))`
  return (await inApp(cluster, pod, script)) as TokenBody
}
