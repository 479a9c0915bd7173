import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { startApplication, systemSurroundings } from '../compose/application.ts'
import { Opened } from '../compose/opened.ts'
import type { Surroundings } from '../compose/surroundings.ts'
import { issuerOf } from '../config/authority.ts'
import { resolveConfig } from '../config/load.ts'
import { localCluster } from '../dev/cluster.ts'
import { demoApp, signInUrl } from '../dev/demo_app.ts'
import { DEMO_EMAIL, ensureDemoUser } from '../compose/demo_user.ts'
import { rotateToken } from '../dev/kubelet.ts'
import { openState, type DevState } from '../dev/state.ts'
import { openLog } from '../ops/log.ts'
import { handlerOf, listen } from '../platform/listen.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'

const TENANT = 'acme-corp'
const CLIENT = 'reports'
const PROOF_LIFETIME_SECONDS = 600
const CONFIG = 'config.json'

/** Where everything listens, counted from the first port. */
interface Ports {
  readonly authority: number
  readonly cluster: number
  readonly demoApp: number
  readonly broker: number
  readonly operations: number
}

/**
 * `lumo-broker dev`: an authority, a cluster issuer that rotates a projected token, and a broker, on loopback, in one
 * process, with the state in a folder.
 */
export async function dev(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    state: { default: '.lumo' },
    'first-port': { default: '9170' },
  })
  const ports = portsFrom(given['first-port'])
  const folder = resolve(io.workingFolder, given.state)
  const log = await openLog({ level: 'info', format: 'auto' }, io.stdout)
  const surroundings = systemSurroundings(log, {})
  const state = await openState(folder, ports.authority, surroundings.random)
  await ensureDemoUser(state.storeFile, TENANT, state.password, surroundings)
  const around = relative(io.workingFolder, folder) || '.'
  const opened = new Opened()
  try {
    const issuer = await startCluster(state, ports, opened, surroundings)
    await startDemoApp(ports, secretIn(around), opened, surroundings)
    const document = documentOf(state, ports, issuer)
    // For the commands that look at an authority and change it while it runs.
    await writeFile(join(folder, CONFIG), `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 })
    const application = await startApplication(resolveConfig(document, {}), surroundings)
    const hasToken = await Promise.race([
      untilStarted(application, surroundings),
      io.asked.then(() => false),
    ])
    io.stdout.write(welcome(ports, around, state.password, hasToken))
    await io.asked
    await application.stop()
  } finally {
    await opened.close()
  }
  return 0
}

function portsFrom(text: string): Ports {
  const first = Number(text)
  if (!Number.isInteger(first) || first < 1 || first > 65_500) {
    throw new UsageFault('--first-port must be a port')
  }
  return {
    authority: first,
    cluster: first + 1,
    demoApp: first + 2,
    broker: first + 10,
    operations: first + 20,
  }
}

/** Gives the issuer of the cluster's tokens. */
async function startCluster(
  state: DevState,
  ports: Ports,
  opened: Opened,
  surroundings: Surroundings,
): Promise<string> {
  const issuer = `http://127.0.0.1:${String(ports.cluster)}`
  const cluster = await localCluster(issuer, state.clusterKey, surroundings)
  await cluster.app.ready()
  const rotation = await rotateToken(
    state.proofFolder,
    PROOF_LIFETIME_SECONDS,
    () => cluster.token(state.pod, issuerOf(originOf(ports), TENANT), PROOF_LIFETIME_SECONDS),
    surroundings,
  )
  opened.add(() => {
    rotation.stop()
  })
  const listening = await listen(
    {
      role: 'cluster issuer',
      handler: handlerOf(cluster.app),
      addresses: [{ host: '127.0.0.1', port: ports.cluster }],
    },
    surroundings.clock,
  )
  opened.add(() => listening.close(0))
  return issuer
}

async function startDemoApp(
  ports: Ports,
  clientSecret: string,
  opened: Opened,
  { clock }: Surroundings,
): Promise<void> {
  const app = demoApp({
    issuer: issuerOf(originOf(ports), TENANT),
    clientId: CLIENT,
    clientSecret,
    redirectUri: callbackOf(ports),
  })
  await app.ready()
  const listening = await listen(
    {
      role: 'demo application',
      handler: handlerOf(app),
      addresses: [{ host: '127.0.0.1', port: ports.demoApp }],
    },
    clock,
  )
  opened.add(() => listening.close(0))
}

function callbackOf({ demoApp: port }: Ports): string {
  return `http://127.0.0.1:${String(port)}/callback`
}

/** As a shell reads it: what is printed holds no secret. */
function secretIn(state: string): string {
  return `$(cat '${join(state, 'client-secret')}')`
}

function originOf(ports: Ports): string {
  return `http://127.0.0.1:${String(ports.authority)}`
}

function documentOf(state: DevState, ports: Ports, clusterIssuer: string) {
  const at = (port: number): string => `127.0.0.1:${String(port)}`
  return {
    roles: ['authority', 'broker'],
    operations: { listen: at(ports.operations) },
    authority: {
      listen: at(ports.authority),
      origin: originOf(ports),
      store: { file: state.storeFile },
      keyEncryptionFile: state.keyEncryptionFile,
      tenants: [
        {
          slug: TENANT,
          policy: state.policyFile,
          roles: state.rolesFile,
          providers: [
            {
              name: 'local-cluster',
              kind: 'kubernetes',
              issuers: [clusterIssuer],
              keys: { discovery: true },
            },
          ],
          clients: [
            {
              id: CLIENT,
              secretHashes: [state.clientSecretHash],
              name: 'Demo reports',
              grantTypes: ['client_credentials', 'authorization_code', 'refresh_token'],
              redirectUris: [callbackOf(ports)],
              grants: [
                { scopes: ['read:reports', 'write:data', 'read:users'] },
                { scopes: ['openid', 'profile', 'email'] },
              ],
            },
          ],
        },
      ],
    },
    broker: {
      shape: 'all-in-one',
      listen: [at(ports.broker), `[::1]:${String(ports.broker)}`],
      authority: { tenant: TENANT },
      proof: { file: join(state.proofFolder, 'token') },
      dropIn: { secretFile: state.guardFile },
    },
  }
}

const START_PATIENCE_MS = 10_000
const LOOK_EVERY_MS = 20

/** Waits for the first token, but not for ever: a policy that refuses it is for the log to say, and to be mended while this runs. */
async function untilStarted(
  application: { started(): boolean },
  { clock }: Surroundings,
): Promise<boolean> {
  const giveUpAt = clock.monotonic() + START_PATIENCE_MS
  while (!application.started() && clock.monotonic() < giveUpAt) {
    await new Promise<void>((wake) => clock.after(LOOK_EVERY_MS, wake))
  }
  return application.started()
}

function welcome(ports: Ports, state: string, password: string, hasToken: boolean): string {
  const url = (port: number): string => `http://127.0.0.1:${String(port)}`
  const secret = secretIn(state)
  const issuer = `${url(ports.authority)}/t/${TENANT}/api/v1`
  const guard = `$(cat '${join(state, 'guard')}')`
  const first = hasToken
    ? 'lumo-broker is ready.'
    : 'lumo-broker runs, but has no token yet: the log above says why.'
  return `
${first}

  tokens for the pod   ${url(ports.broker)}/v1/token
  token endpoint       ${url(ports.authority)}/t/${TENANT}/api/v1/oauth/token
  cluster issuer       ${url(ports.cluster)}
  metrics and probes   ${url(ports.operations)}/metrics
  state                ${state}/  (policy.yaml says who may become what, roles.yaml who may do what)
  for operators        --config ${join(state, CONFIG)}, as in: npx lumo-broker clients list (after npm run build)

Sign in with a browser as ${DEMO_EMAIL}, with the password ${password}:

  ${signInUrl(issuer, CLIENT, callbackOf(ports))}
  ${issuer}/account   what acts for you

Try, in another terminal in this folder:

  curl -s -H 'Lumo-Broker: true' '${url(ports.broker)}/v1/token?audience=https://docs.example.com'
  curl -s -u "self:${guard}" -d grant_type=client_credentials ${url(ports.broker)}/t/${TENANT}/api/v1/oauth/token
  curl -s -u "${CLIENT}:${secret}" -d grant_type=client_credentials ${url(ports.authority)}/t/${TENANT}/api/v1/oauth/token
  curl -s ${url(ports.operations)}/metrics | grep ^lumo_

Ctrl-C ends it.
`
}
