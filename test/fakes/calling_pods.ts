import { PresentedCallers } from '../../src/broker/caller/presented.ts'
import { Workload } from '../../src/broker/caller/workload.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { GetToken } from '../../src/broker/get_token.ts'
import { Identifiers } from '../../src/broker/delegation/identifiers.ts'
import { LocalGate } from '../../src/broker/local_gate.ts'
import { rememberingWishes } from '../../src/broker/wish.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { KeySource, KeysUnavailable } from '../../src/verifier/keys/key_source.ts'
import { Providers } from '../../src/verifier/registry.ts'
import type { Proof, Verifier } from '../../src/verifier/verifier.ts'
import { FakeAuthority } from './authority.ts'
import { ampleLimits, begin, type AskOutcome } from './broker.ts'
import { FakeClock } from './clock.ts'
import { FakeCluster, type TokenChanges } from './cluster.ts'
import { FakeLog } from './log.ts'
import { keysOf, providerOf } from './provider.ts'

export const here = 'worker-1'

/** A verifier that counts what it is asked, and waits while it is held. */
class WatchedVerifier implements Verifier {
  verified = 0
  #inner: Verifier
  #gate: PromiseWithResolvers<void> | undefined

  constructor(inner: Verifier) {
    this.#inner = inner
  }

  hold(): void {
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  verify: Verifier['verify'] = async (proof: Proof) => {
    this.verified += 1
    await this.#gate?.promise
    return this.#inner.verify(proof)
  }
}

/** Keys that may be out of reach. */
class SwitchedKeys implements KeySource {
  unavailable: KeysUnavailable | undefined
  readonly #keys: KeySource

  constructor(keys: KeySource) {
    this.#keys = keys
  }

  find: KeySource['find'] = (kid, algorithm) =>
    this.unavailable ? Promise.resolve(this.unavailable) : this.#keys.find(kid, algorithm)
}

export interface Pod {
  readonly account: string
  readonly uid: string
}

export const analyst: Pod = { account: 'doc-analyst', uid: 'uid-analyst' }
export const reporter: Pod = { account: 'reporter', uid: 'uid-reporter' }

/** The claims of a token that a pod shows, but for the changes. */
export function podToken({ account, uid }: Pod, { claims, bound, ...rest }: TokenChanges = {}) {
  return {
    ...rest,
    claims: { sub: `system:serviceaccount:research:${account}`, ...claims },
    bound: {
      serviceaccount: { name: account, uid: `sa-${account}` },
      pod: { name: `${account}-0`, uid },
      ...bound,
    },
  }
}

/** What `callingPods` gives tokens as. */
export function issuedFor(subjectToken: string): { readonly pod: string; readonly exp: number } {
  const text = Buffer.from(subjectToken.split('.')[1] ?? '', 'base64url').toString()
  const claims = JSON.parse(text) as {
    readonly sub: string
    readonly exp: number
    readonly 'kubernetes.io': { readonly pod: { readonly uid: string } }
  }
  return { pod: `${claims.sub} ${claims['kubernetes.io'].pod.uid}`, exp: claims.exp }
}

export const podName = ({ account, uid }: Pod): string =>
  `system:serviceaccount:research:${account} ${uid}`

/** A node broker around a cluster with a real verifier, and an authority that says in each token which pod it is for. */
export async function callingPods({
  clock = new FakeClock(),
  cluster = new FakeCluster(() => clock.now),
  maxWorkloads = 100,
  maxEntries = 100,
} = {}) {
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const delegation = { maxSessions: 100, sessionIdleMs: 900_000 }
  const around = { clock, random: systemRandom, log, metrics }
  const keys = new SwitchedKeys(await keysOf(cluster))
  const provider = await providerOf(cluster, { requirePod: true, node: here, keys })
  const verifier = new WatchedVerifier(new Providers([provider], clock))
  const authority = new FakeAuthority()
  authority.tokenOf = (count, { subjectToken }) => {
    const { pod } = issuedFor(subjectToken)
    return Buffer.from(`${pod} ${String(count)}`).toString('base64url')
  }
  const gate = new LocalGate({ policy: () => undefined, limits: ampleLimits, ...around })
  const getToken = new GetToken({ gate, exchanger: authority, maxFlights: 1_000, ...around })
  const rateLimit = { perSecond: 1_000_000, burst: 1_000_000 }
  const callers = new PresentedCallers({
    verifier,
    workloadOf: (proof) =>
      new Workload(
        proof,
        { tenant: 'acme-corp', maxEntries, rateLimit, delegation },
        { ...around, identifiers: new Identifiers(around.random) },
      ),
    maxWorkloads,
    ...around,
  })
  const wishOf = rememberingWishes()
  /** Asks as a pod that shows this token. */
  const call = async (token: string, query = '', address = '10.0.0.7'): Promise<AskOutcome> => {
    const workload = await callers.byToken(token, address)
    if (!(workload instanceof BrokerError)) return begin({ getToken, workload, wishOf }, query)
    return { status: workload.status, error: workload.error, code: workload.code }
  }
  return {
    ...around,
    cluster,
    keys,
    verifier,
    authority,
    gate,
    getToken,
    callers,
    call,
    tokenOf: (pod: Pod, changes?: TokenChanges) => cluster.token(podToken(pod, changes)),
    residents: () => [...callers.workloads()],
  }
}

/** The pod that a token was issued for, and which of all that were issued it is. */
export function readIssued(outcome: AskOutcome): string {
  if (!('token' in outcome)) return outcome.code
  return Buffer.from(outcome.token, 'base64url').toString()
}
