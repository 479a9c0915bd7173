import { BrokerError } from '../../src/broker/errors.ts'
import { GetToken } from '../../src/broker/get_token.ts'
import { hostAllowList } from '../../src/broker/guards.ts'
import { brokerListener } from '../../src/broker/listener.ts'
import { proofFile, type ProofSource } from '../../src/broker/proof.ts'
import { RateLimit } from '../../src/broker/rate_limit.ts'
import { bodyOf, type Servable } from '../../src/broker/servable.ts'
import { rememberingWishes, type Wish } from '../../src/broker/wish.ts'
import { TokenCache } from '../../src/cache/token_cache.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { handlerOf, listen } from '../../src/platform/listen.ts'
import { FakeAuthority } from './authority.ts'
import { FakeClock } from './clock.ts'
import { FakeFiles } from './files.ts'
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
  readonly metrics: PrometheusMetrics
  readonly authority: FakeAuthority
  readonly cache: TokenCache<Servable, BrokerError>
  readonly proofs: ProofSource
  readonly getToken: GetToken
  readonly wishOf: (query: string) => Wish | BrokerError
}

export function testBroker({
  maxEntries = 100,
  maxFlights = 10_000,
  clock = new FakeClock(),
} = {}): TestBroker {
  const files = new FakeFiles({ [proofPath]: proofOf(proofClaims(clock.now)) })
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const authority = new FakeAuthority()
  const around = { clock, files, log, metrics }
  const proofs = proofFile(proofPath, proofAudience, around)
  const cache = new TokenCache<Servable, BrokerError>(maxEntries, clock)
  const getToken = new GetToken({
    tenant: 'acme-corp',
    proofs,
    cache,
    exchanger: authority,
    maxFlights,
    ...around,
  })
  return { ...around, authority, cache, proofs, getToken, wishOf: rememberingWishes() }
}

export type AskOutcome =
  | { readonly token: string; readonly expiresIn: number }
  | { readonly status: number; readonly error: string; readonly code: string }

/** Asks as the listener does: what the cache has, or else by an exchange. */
export async function ask({ getToken, wishOf }: TestBroker, query = ''): Promise<AskOutcome> {
  const wish = wishOf(query)
  const result =
    wish instanceof BrokerError
      ? wish
      : (getToken.fromCache(wish) ?? (await getToken.byExchange(wish)))
  if (result instanceof BrokerError) {
    return { status: result.status, error: result.error, code: result.code }
  }
  const body = JSON.parse(bodyOf(result.servable, result.expiresIn)) as Record<string, unknown>
  return { token: String(body['access_token']), expiresIn: Number(body['expires_in']) }
}

/** Lets everything run that waits for nothing but itself. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export interface ListeningBroker extends TestBroker {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** The same over HTTP, on a free port of the loopback. */
export async function listeningBroker({
  rate = { perSecond: 1_000_000, burst: 1_000_000 },
  hosts = [] as readonly string[],
} = {}): Promise<ListeningBroker> {
  const broker = testBroker()
  let allowed: ReadonlySet<string> = new Set()
  const app = brokerListener({
    ...broker,
    hosts: () => allowed,
    rateLimit: new RateLimit(rate, broker.clock),
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
    host,
    port: Number(host.split(':')[1]),
    close: async () => {
      await listening.close(0)
      await app.close()
    },
  }
}
