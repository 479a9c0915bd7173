import type { Workload } from '../broker/caller/workload.ts'
import { GetToken } from '../broker/get_token.ts'
import { clientProof } from '../broker/drop_in/guard.ts'
import { hostAllowList } from '../broker/guards.ts'
import { brokerListener } from '../broker/listener.ts'
import { LocalGate } from '../broker/local_gate.ts'
import { keepFresh } from '../broker/refresh.ts'
import { revokeHeld } from '../broker/revoke_held.ts'
import { sentenceOfRefusal } from '../broker/sentence_of_refusal.ts'
import { sparingLog } from '../broker/sparing_log.ts'
import { warmUp } from '../broker/warm_up.ts'
import { plainWish } from '../broker/wish.ts'
import type { BrokerConfig } from '../config/config.ts'
import type { Exchanger } from '../exchange/exchanger.ts'
import { inProcessExchanger, type LocalTokenEndpoint } from '../exchange/in_process.ts'
import { limitedExchanger } from '../exchange/limited.ts'
import type { AuthorityLink } from '../exchange/link.ts'
import { localLink } from '../exchange/local_link.ts'
import { remoteExchanger } from '../exchange/remote.ts'
import { remoteLink } from '../exchange/remote_link.ts'
import { revocation } from '../exchange/revoke.ts'
import { handlerOf } from '../platform/listen.ts'
import type { MemoryHttp } from '../platform/memory_http.ts'
import { Watched } from '../platform/watched.ts'
import { LocalPolicy } from '../policy/local/local_policy.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { openAuthorization } from './authorization.ts'
import { openCaFile } from './ca_file.ts'
import { openCallers } from './callers.ts'
import { reviewDelegations } from '../broker/delegation/review.ts'
import { openDelegation } from './delegation.ts'
import { openDropInGuard } from './drop_in.ts'
import { Opened } from './opened.ts'
import type { openProxy, RunningProxy } from './proxy.ts'
import { openSinks } from './sinks.ts'
import type { Surroundings } from './surroundings.ts'
import { listenWithTls } from './tls.ts'

const MAX_POLICY_BYTES = 1_048_576
/** Different tokens that one workload may wait for at once. */
const MAX_FLIGHTS = 256
/** Exchanges that an authority is asked for at once, by all workloads together. */
const MAX_EXCHANGES = 16
/** Of a thousand connections; a pod has few clients. */
const MAX_CONNECTIONS_PER_ADDRESS = 128

/** For ending what is held, after what runs has had its grace. */
const REVOKE_WITHIN_MS = 5_000

/** The role `broker`, running. */
export interface RunningBroker {
  readonly addresses: readonly string[]
  /** Of the proxy that adds tokens. */
  readonly proxyAddresses: readonly string[]
  readonly authorizationAddresses: readonly string[]
  /** True once a first token was had; of a broker for others, at once. */
  hasToken(): boolean
  /** Resolves with a sentence when a sidecar has nothing left to try. */
  readonly givenUp: Promise<string>
  /** Forgets every token. */
  forget(): void
  stop(graceMs: number): Promise<void>
}

/** What there is in the same process to exchange with. */
export interface LocalAuthority {
  readonly token: LocalTokenEndpoint
  readonly http: MemoryHttp
  verifierOf(tenant: string): Verifier | undefined
}

/**
 * Wires what a pod meets on localhost, and listens.
 * @throws OperatorFault
 */
export async function startBroker(
  config: BrokerConfig,
  local: LocalAuthority | undefined,
  surroundings: Surroundings,
): Promise<RunningBroker> {
  const opened = new Opened()
  try {
    const log = sparingLog(surroundings.log, surroundings.clock)
    return await open(config, local, opened, { ...surroundings, log })
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function open(
  config: BrokerConfig,
  local: LocalAuthority | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<RunningBroker> {
  const { clock, metrics } = surroundings
  const verifier = local?.verifierOf(config.tenant)
  const { callers, pod } = await openCallers(config, verifier, opened, surroundings)
  const authority = await openAuthority(config, local, opened, surroundings)
  const { link } = authority
  const exchanger = limitedExchanger(authority.exchanger, MAX_EXCHANGES)
  const gate = await openGate(config, () => callers.workloads(), opened, surroundings)
  const getToken = new GetToken({ exchanger, gate, maxFlights: MAX_FLIGHTS, ...surroundings })
  const delegation = openDelegation(
    {
      getToken,
      gate,
      limits: config.limits,
      exchanger,
      link,
      workloads: () => callers.workloads(),
    },
    surroundings,
  )
  callers.onGone((workload) => void delegation.revoke(workload, workload.subjects.endAll()))
  observe(metrics, () => callers.workloads(), exchanger)
  let hosts: ReadonlySet<string> = new Set()
  const guard = await openDropInGuard(config.dropIn, opened, surroundings)
  const app = brokerListener({
    getToken,
    ...delegation,
    sessionIdleMs: config.delegation.sessionIdleMs,
    gate,
    callers,
    exchanger,
    link,
    prove: clientProof(guard, callers),
    tenant: config.tenant,
    hosts: () => hosts,
    ...surroundings,
  })
  await app.ready()
  opened.add(() => app.close())
  const authorization =
    pod && config.authorization
      ? await openAuthorization(
          config.authorization,
          { bearers: delegation.bearers, pod },
          opened,
          surroundings,
        )
      : undefined
  const proxy =
    config.proxy &&
    (await loadProxy(
      config.proxy,
      { bearers: delegation.bearers, callers, hosts: config.hosts },
      opened,
      surroundings,
    ))
  const listening = await listenWithTls(
    {
      role: 'broker',
      handler: handlerOf(app),
      addresses: config.listen,
      ...(pod ? { ownPodOnly: true } : { maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS }),
    },
    config.tls,
    opened,
    surroundings,
  )
  hosts = hostAllowList(listening.addresses, config.hosts)
  const stopRefreshing = keepFresh({
    getToken,
    workloads: () => callers.workloads(),
    followsFile: config.proof.from === 'file',
    maxEntries: config.maxEntries,
    clock,
  })
  opened.add(stopRefreshing)
  opened.add(delegation.watch())
  const warming = pod && warmUp({ getToken, gate, workload: pod, clock })
  const sinks = pod ? openSinks(config.sinks, { getToken, pod }, surroundings) : undefined
  return {
    addresses: listening.addresses,
    proxyAddresses: proxy?.addresses ?? [],
    authorizationAddresses: authorization?.addresses ?? [],
    hasToken: () => (warming?.done() ?? true) && (sinks?.done() ?? true),
    givenUp:
      warming && config.remote
        ? warming.refused.then((error) =>
            sentenceOfRefusal(error, pod.proofs, gate.completes(pod, plainWish).agent, config),
          )
        : new Promise(() => {}),
    forget: () => {
      for (const workload of callers.workloads()) workload.forget()
    },
    stop: async (graceMs) => {
      warming?.stop()
      await Promise.all([
        listening.close(graceMs),
        authorization?.close(graceMs),
        proxy?.close(graceMs),
        sinks?.stop(),
      ])
      if (config.shutdown.revoke) {
        stopRefreshing()
        const holders = [...callers.workloads()].flatMap((one) => [
          ...one.sides,
          ...[...one.subjects.all()].map((acting) => ({ tokens: acting })),
        ])
        await revokeHeld(holders, revocation(link), surroundings, REVOKE_WITHIN_MS)
      }
      await opened.close()
    },
  }
}

/** Its HTTP client is no burden for a sidecar without one. */
async function loadProxy(...given: Parameters<typeof openProxy>): Promise<RunningProxy> {
  const { openProxy } = await import('./proxy.ts')
  return openProxy(...given)
}

function observe(
  metrics: Surroundings['metrics'],
  workloads: () => Iterable<Workload>,
  exchanges: { readonly waiting: number },
): void {
  metrics.observe('cacheEntries', {}, () =>
    [...workloads()].reduce((sum, { tokens }) => sum + tokens.size, 0),
  )
  const count = (read: (workload: Workload) => number) => (): number =>
    [...workloads()].reduce((sum, workload) => sum + read(workload), 0)
  metrics.observe(
    'sessions',
    {},
    count(({ subjects }) => subjects.sessions),
  )
  metrics.observe(
    'handlesPending',
    {},
    count(({ subjects }) => subjects.pending().length),
  )
  metrics.observe(
    'delegatedEntries',
    {},
    count(({ subjects }) => [...subjects.all()].reduce((sum, { tokens }) => sum + tokens.size, 0)),
  )
  metrics.observe('workloads', {}, () => [...workloads()].length)
  metrics.observe('exchangesWaiting', {}, () => exchanges.waiting)
}

/** What the broker's own policy allows; followed, and looked at again for all that is held when it changes. */
async function openGate(
  { policy: path, policyDocument, limits }: BrokerConfig,
  workloads: () => Iterable<Workload>,
  opened: Opened,
  surroundings: Surroundings,
): Promise<LocalGate> {
  const policy =
    path === undefined
      ? undefined
      : opened.follow(
          await Watched.open(
            {
              what: 'local_policy',
              paths: [path],
              maxBytes: MAX_POLICY_BYTES,
              parse: (contents) => LocalPolicy.parse(contents),
            },
            surroundings,
          ),
        )
  const written = policyDocument && parseLocalPolicy(policyDocument)
  const gate = new LocalGate({
    policy: () => policy?.current() ?? written,
    limits,
    ...surroundings,
  })
  policy?.onChange(() => {
    for (const workload of workloads()) {
      gate.review(workload)
      reviewDelegations(workload, gate)
    }
  })
  return gate
}

/** @throws DocumentFault */
function parseLocalPolicy(document: object): LocalPolicy {
  return LocalPolicy.parse([
    { path: 'broker.policyDocument', bytes: Buffer.from(JSON.stringify(document)) },
  ])
}

/** The two ways to the authority: for exchanges of proofs and tokens, and for everything else. */
async function openAuthority(
  { tenant, remote }: BrokerConfig,
  local: LocalAuthority | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<{ readonly exchanger: Exchanger; readonly link: AuthorityLink }> {
  if (!remote) {
    if (!local) throw new Error('a broker without an authority passed the configuration')
    return {
      exchanger: inProcessExchanger(tenant, local.token),
      link: localLink(tenant, local.http),
    }
  }
  const { caFile } = remote
  const ca =
    caFile === undefined
      ? undefined
      : opened.follow(
          await openCaFile(
            caFile,
            { what: 'ca', setting: 'broker.authority.caFile' },
            surroundings,
          ),
        )
  const authority = { ...remote, ca: () => remote.ca ?? ca?.current() }
  return {
    exchanger: remoteExchanger(authority, surroundings.http),
    link: remoteLink(authority, surroundings.http),
  }
}
