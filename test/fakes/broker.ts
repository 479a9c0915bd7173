import { BrokerError } from '../../src/broker/errors.ts'
import { GetToken } from '../../src/broker/get_token.ts'
import { hostAllowList } from '../../src/broker/guards.ts'
import { brokerListener } from '../../src/broker/listener.ts'
import { podItself, type Callers } from '../../src/broker/caller/callers.ts'
import { Workload } from '../../src/broker/caller/workload.ts'
import { clientProof, type DropInGuard } from '../../src/broker/drop_in/guard.ts'
import { LocalGate } from '../../src/broker/local_gate.ts'
import { Identifiers } from '../../src/broker/delegation/identifiers.ts'
import type { LocalLimits } from '../../src/broker/local_limits.ts'
import { proofFile, type ProofSource } from '../../src/broker/proof.ts'
import { bodyOf, type Servable } from '../../src/broker/servable.ts'
import { rememberingWishes, type Wish } from '../../src/broker/wish.ts'
import type { TokenCache } from '../../src/cache/token_cache.ts'
import type { Exchanger } from '../../src/exchange/exchanger.ts'
import type { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { systemRandom, type Random } from '../../src/platform/random.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { openDelegation } from '../../src/compose/delegation.ts'
import { handlerOf, listen } from '../../src/platform/listen.ts'
import { FakeAuthority } from './authority.ts'
import { FakeClock } from './clock.ts'
import { FakeFiles } from './files.ts'
import { FakeLink } from './link.ts'
import { FakeLog } from './log.ts'

export const proofPath = '/var/run/proof/token'
export const proofAudience = 'https://auth.example/t/acme-corp/api/v1'

/** The claims of a usable proof at `now`, in Unix seconds. */
export function proofClaims(now: number): Readonly<Record<string, unknown>> {
  return {
    iss: 'https://cluster.example',
    sub: 'system:serviceaccount:research:doc-analyst',
    aud: [proofAudience],
    exp: now + 3_600 * 24,
    'kubernetes.io': { pod: { name: 'doc-analyst-0', uid: '22222222' } },
  }
}

/** A proof as its form goes. The broker judges form and dates and leaves the signature to the authority, so it has none. */
export function proofOf(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.c2lnbmF0dXJl`
}

/** The broker around a fake authority: what a test may touch, in one hand. */
export interface TestBroker {
  readonly clock: FakeClock
  readonly files: FakeFiles
  readonly log: FakeLog
  readonly random: Random
  readonly metrics: PrometheusMetrics
  readonly authority: FakeAuthority
  readonly cache: TokenCache<Servable, BrokerError>
  readonly proofs: ProofSource
  readonly workload: Workload
  readonly gate: LocalGate
  /** What the local policy is from now on. */
  usePolicy(policy: LocalPolicy | undefined): void
  readonly getToken: GetToken
  readonly wishOf: (query: string) => Wish | BrokerError
}

/** Of the local policy, for tests of something else. */
export const ampleLimits: LocalLimits = {
  exchangesPerMinute: 100_000,
  audiencesPerHour: 10_000,
  actDepth: 10,
  subjectsAtOnce: 10_000,
  exchangesPerSubjectPerMinute: 100_000,
}

const asAmple: Partial<LocalLimits> = {}

const ample = { perSecond: 1_000_000, burst: 1_000_000 }

export function testBroker({
  maxEntries = 100,
  maxFlights = 10_000,
  clock = new FakeClock(),
  random = systemRandom,
  rateLimit = ample,
  limits = asAmple,
  through = (authority: FakeAuthority): Exchanger => authority,
} = {}): TestBroker {
  const files = new FakeFiles({ [proofPath]: proofOf(proofClaims(clock.now)) })
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const authority = new FakeAuthority()
  const delegation = { maxSessions: 100, sessionIdleMs: 900_000 }
  const around = { clock, random, files, log, metrics }
  const proofs = proofFile(proofPath, proofAudience, around)
  const workload = new Workload(
    proofs,
    { tenant: 'acme-corp', maxEntries, rateLimit, delegation },
    { ...around, identifiers: new Identifiers(around.random) },
  )
  let policy: LocalPolicy | undefined
  const gate = new LocalGate({
    policy: () => policy,
    limits: { ...ampleLimits, ...limits },
    ...around,
  })
  const getToken = new GetToken({ gate, exchanger: through(authority), maxFlights, ...around })
  return {
    ...around,
    authority,
    cache: workload.tokens,
    proofs,
    workload,
    gate,
    usePolicy: (changed) => {
      policy = changed
    },
    getToken,
    wishOf: rememberingWishes(),
  }
}

export type AskOutcome =
  | { readonly token: string; readonly expiresIn: number }
  | { readonly status: number; readonly error: string; readonly code: string }

/** Asks as the listener does, and lets time pass until there is an answer. */
export function ask(broker: TestBroker, query = ''): Promise<AskOutcome> {
  return inTime(begin(broker, query), broker.clock)
}

/** Asks as the listener does: what the cache has, or else by an exchange. The clock stands. */
export async function begin(
  { getToken, workload, wishOf }: Pick<TestBroker, 'getToken' | 'workload' | 'wishOf'>,
  query = '',
): Promise<AskOutcome> {
  const wish = wishOf(query)
  const result =
    wish instanceof BrokerError
      ? wish
      : (getToken.fromCache(workload, wish) ?? (await getToken.byExchange(workload, wish)))
  if (result instanceof BrokerError) {
    return { status: result.status, error: result.error, code: result.code }
  }
  const body = JSON.parse(bodyOf(result.servable, result.expiresIn)) as Record<string, unknown>
  return { token: String(body['access_token']), expiresIn: Number(body['expires_in']) }
}

/** Lets time pass until something is settled, which waits for nothing but the clock. */
export async function inTime<Result>(
  waitedFor: Promise<Result>,
  clock: FakeClock,
): Promise<Result> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  waitedFor.then(settle, settle)
  for (let turn = 0; turn < 10_000; turn += 1) {
    await settled()
    if (isSettled) break
    clock.advance(Math.min(50, clock.untilNext))
  }
  return waitedFor
}

/** Lets time pass in steps, and everything run that falls due meanwhile. */
export async function pass(clock: FakeClock, ms: number, step = 1_000): Promise<void> {
  await settled()
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left))
    await settled()
  }
}

/** Lets everything run that waits for nothing but itself. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export interface ListeningBroker extends TestBroker {
  /** What the forwarded routes lead to. */
  readonly link: FakeLink
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

export interface ListeningWish {
  readonly clock?: FakeClock
  readonly rate?: { readonly perSecond: number; readonly burst: number }
  readonly hosts?: readonly string[]
  readonly dropIn?: DropInGuard
  /** Whose requests are whose, where the pod itself is not the one caller. */
  readonly callersOf?: (workload: Workload) => Callers
}

/** The same over HTTP, on a free port of the loopback. */
export async function listeningBroker({
  clock = new FakeClock(),
  rate = ample,
  hosts = [],
  dropIn = { kind: 'off' },
  callersOf = podItself,
}: ListeningWish = {}): Promise<ListeningBroker> {
  const broker = testBroker({ rateLimit: rate, clock })
  const link = new FakeLink()
  const callers = callersOf(broker.workload)
  const { getToken, gate, authority: exchanger } = broker
  const delegation = openDelegation(
    {
      getToken,
      gate,
      limits: ampleLimits,
      exchanger,
      link: link.send,
      workloads: () => callers.workloads(),
    },
    { ...broker, http: () => Promise.reject(new Error('no network here')) },
  )
  let allowed: ReadonlySet<string> = new Set()
  const app = brokerListener({
    ...broker,
    ...delegation,
    sessionIdleMs: 900_000,
    callers,
    exchanger,
    link: link.send,
    prove: clientProof(dropIn, callers),
    tenant: 'acme-corp',
    hosts: () => allowed,
  })
  await app.ready()
  const listening = await listen(
    { role: 'broker', handler: handlerOf(app), addresses: [{ host: '127.0.0.1', port: 0 }] },
    systemClock,
  )
  allowed = hostAllowList(listening.addresses, hosts)
  const host = listening.addresses[0] ?? ''
  return {
    ...broker,
    link,
    host,
    port: Number(host.split(':')[1]),
    close: async () => {
      await listening.close(0)
      await app.close()
    },
  }
}
