import type { InjectionConfig } from '../config/webhook.ts'
import { CA_BUNDLE } from './annotation_names.ts'
import type { Wanted } from './annotations.ts'
import type { Container } from './pod.ts'
import type { Resources } from './resources.ts'
import { routed } from './routes.ts'

export const SIDECAR = 'lumo-broker'
export const PROOF_VOLUME = 'lumo-proof'
export const SOCKET_VOLUME = 'lumo-socket'
export const PROOF_FOLDER = '/var/run/secrets/lumoauth.dev/proof'
export const SOCKET_FOLDER = '/run/lumoauth'
const SOCKET = `${SOCKET_FOLDER}/broker.sock`
const NEVER = 2_147_483_647
const BUNDLE_FIELD = `metadata.annotations['${CA_BUNDLE}']`

export interface SidecarWorld {
  /** PEM of what it is to trust for the authority. Undefined: the CAs that its image knows. */
  readonly caBundle: string | undefined
  /** PEM of what a pod of mode node is to trust for the broker of its node. */
  readonly brokerCa: string
  /** What clients of the drop-in routes show. Worth nothing outside of the pod. */
  readonly guardSecret: string
}

/** The native sidecar, as a container of a manifest. Its security context is its own, whatever the pod's says. */
export function sidecarOf(
  wanted: Wanted,
  config: InjectionConfig,
  resources: Resources,
  world: SidecarWorld,
) {
  const { image, imagePullPolicy } = config.sidecar
  return {
    name: SIDECAR,
    image,
    imagePullPolicy,
    restartPolicy: 'Always',
    args: ['run'],
    env: [
      { name: 'LUMO_CONFIG_DOCUMENT', value: literal(documentOf(wanted, config, world)) },
      { name: 'LUMO_GUARD_SECRET', value: world.guardSecret },
      // By these two it notices that a pod has the network of its node, and does not start there.
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    ],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ports: [{ name: 'lumo-ops', containerPort: wanted.operationsPort }],
    // Never restarted for waiting: an authority that is out for an hour is no reason to.
    startupProbe: {
      httpGet: {
        path: wanted.start === 'token' ? '/startupz' : '/readyz',
        port: wanted.operationsPort,
      },
      periodSeconds: 1,
      failureThreshold: NEVER,
    },
    resources,
    securityContext: {
      runAsUser: 65_532,
      runAsGroup: 65_532,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: PROOF_VOLUME, mountPath: PROOF_FOLDER, readOnly: true },
      ...(wanted.socket ? [{ name: SOCKET_VOLUME, mountPath: SOCKET_FOLDER }] : []),
    ],
  }
}

/** Its whole configuration: a pod of another namespace has no ConfigMap of ours to mount. */
function documentOf(wanted: Wanted, config: InjectionConfig, { caBundle }: SidecarWorld) {
  const { url, tenant } = config.authority
  const { port, operationsPort, socket, policy, proxyRoutes, authorizationRoutes } = wanted
  return {
    roles: ['broker'],
    log: { level: wanted.logLevel ?? config.sidecar.logLevel },
    operations: { listen: `[::]:${String(operationsPort)}` },
    broker: {
      listen: socket ? [`unix:${SOCKET}`] : loopbacks(port),
      authority: { url, tenant, ...(caBundle !== undefined && { ca: caBundle }) },
      proof: { file: `${PROOF_FOLDER}/token`, audience: config.proofAudience },
      ...(policy && { policyDocument: policy }),
      ...(proxyRoutes && {
        proxy: {
          // Beside a socket the broker wants it written: whoever is not to have tokens reaches this.
          ...(socket && { listen: loopbacks(routed.proxy.port) }),
          routes: proxyRoutes,
        },
      }),
      ...(authorizationRoutes && { authorization: { routes: authorizationRoutes } }),
    },
  }
}

function loopbacks(port: number): readonly string[] {
  return [`127.0.0.1:${String(port)}`, `[::1]:${String(port)}`]
}

/** The kubelet puts other variables in the place of `$(NAME)`, and reads `$$` as `$`. */
function literal(document: object): string {
  return JSON.stringify(document).replaceAll('$', () => '$$')
}

/** In mode node the programs themselves connect to a broker over TLS, so that its CA lies beside the proof. */
export function proofVolume({ mode }: Wanted, { proofAudience }: InjectionConfig) {
  return {
    name: PROOF_VOLUME,
    projected: {
      sources: [
        {
          serviceAccountToken: { path: 'token', audience: proofAudience, expirationSeconds: 3_600 },
        },
        ...(mode === 'node'
          ? [
              {
                downwardAPI: { items: [{ path: 'ca.crt', fieldRef: { fieldPath: BUNDLE_FIELD } }] },
              },
            ]
          : []),
      ],
    },
  }
}

export const socketVolume = {
  name: SOCKET_VOLUME,
  emptyDir: { medium: 'Memory', sizeLimit: '1Mi' },
}

/** What of the broker's volumes a chosen container gets. In mode sidecar the proof is for the sidecar alone. */
export function mountsOf({ name }: Container, { mode, socket }: Wanted) {
  return [
    ...(mode === 'node' ? [{ name: PROOF_VOLUME, mountPath: PROOF_FOLDER, readOnly: true }] : []),
    ...(socket?.includes(name) === true
      ? [{ name: SOCKET_VOLUME, mountPath: SOCKET_FOLDER, readOnly: true }]
      : []),
  ]
}

export function foldersOf(container: Container, wanted: Wanted): readonly string[] {
  return mountsOf(container, wanted).map(({ mountPath }) => mountPath)
}

/** What a container finds in its environment. */
export function environmentOf(
  { name }: Container,
  wanted: Wanted,
  config: InjectionConfig,
  { guardSecret }: Pick<SidecarWorld, 'guardSecret'>,
): Readonly<Record<string, string>> {
  const { tenant } = config.authority
  if (wanted.mode === 'node') {
    return {
      LUMOAUTH_URL: config.nodeBroker?.url ?? '',
      LUMOAUTH_ORG_ID: tenant,
      LUMOAUTH_TENANT: tenant,
      LUMOAUTH_TOKEN_FILE: `${PROOF_FOLDER}/token`,
      LUMOAUTH_CA_FILE: `${PROOF_FOLDER}/ca.crt`,
    }
  }
  const { socket, agent, port, proxyRoutes } = wanted
  return {
    // No URL names a socket that HTTP clients would understand.
    ...(socket
      ? socket.includes(name) && { LUMO_BROKER_SOCKET: SOCKET }
      : { LUMOAUTH_URL: `http://127.0.0.1:${String(port)}` }),
    LUMOAUTH_ORG_ID: tenant,
    LUMOAUTH_TENANT: tenant,
    // What reaches the proxy alone has nobody to show them to.
    ...((!socket || socket.includes(name)) && {
      AGENT_CLIENT_ID: agent ?? 'self',
      AGENT_CLIENT_SECRET: guardSecret,
    }),
    ...(proxyRoutes && { LUMO_PROXY_URL: `http://127.0.0.1:${String(routed.proxy.port)}` }),
  }
}
