import { Workload } from '../../src/broker/caller/workload.ts'
import { Identifiers } from '../../src/broker/delegation/identifiers.ts'
import type { SubjectsBounds } from '../../src/broker/delegation/subjects.ts'
import { GetToken } from '../../src/broker/get_token.ts'
import { LocalGate } from '../../src/broker/local_gate.ts'
import type { LocalLimits } from '../../src/broker/local_limits.ts'
import { proofFile } from '../../src/broker/proof.ts'
import { openDelegation } from '../../src/compose/delegation.ts'
import {
  LinkFailure,
  type AuthorityLink,
  type LinkAnswer,
  type LinkRequest,
} from '../../src/exchange/link.ts'
import {
  ExchangeFailure,
  type Exchanger,
  type ExchangeRequest,
  type IssuedToken,
} from '../../src/exchange/exchanger.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { ampleLimits, proofAudience, proofClaims, proofOf, proofPath } from './broker.ts'
import type { FakeClock } from './clock.ts'
import { FakeFiles } from './files.ts'
import { FakeLog } from './log.ts'

export const TENANT_ISSUER = 'https://auth.example/t/acme-corp/api/v1'
const LIFETIME = 900

type Claims = Readonly<Record<string, unknown>>

/** What the authority knows of a token that it issued. */
export interface KnownToken {
  readonly token: string
  readonly claims: Claims
  readonly sub: string
  readonly clientId: string
  readonly actors: readonly string[]
  readonly grant: string
  /** Unix seconds, by the authority's own clock. */
  readonly exp: number
  /** Of a delegated one: the subject token that it came of. */
  readonly from: string | undefined
  /** Monotonic: when it was last said to be good, at the beginning of the question. */
  vouchedAt: number
}

/**
 * An authority that behaves: it issues to agents by their proofs and to actors by subject tokens, knows what was revoked, and
 * asks users who have not agreed. Its own clock never jumps.
 */
export class ActingAuthority implements Exchanger {
  readonly issued = new Map<string, KnownToken>()
  readonly asked: ExchangeRequest[] = []
  readonly approvals = new Map<string, { status: string; readonly pair: string }>()
  /** User and agent, where the user has yet to agree. */
  readonly undecided = new Set<string>()
  /** What is laid over the claims of the next delegated tokens: an authority that does something else than was asked. */
  twist: Claims = {}
  /** What it says that it grants, whatever was asked for. */
  grants: string | undefined
  isOut = false
  /** Which questions it answers with 429. */
  busyFor: (request: LinkRequest) => boolean = () => false
  /** Monotonic: when it was out last, up to now where it still is. */
  readonly #outages: { readonly from: number; to: number }[] = []
  readonly #revoked = new Map<string, number>()
  readonly #clock: FakeClock
  readonly #epoch: number
  #count = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
    this.#epoch = clock.wall() - clock.monotonic()
  }

  get now(): number {
    return Math.floor((this.#epoch + this.#clock.monotonic()) / 1000)
  }

  goOut(): void {
    if (this.isOut) return
    this.isOut = true
    this.#outages.push({ from: this.#clock.monotonic(), to: Infinity })
  }

  comeBack(): void {
    this.isOut = false
    const last = this.#outages.at(-1)
    if (last) last.to = Math.min(last.to, this.#clock.monotonic())
  }

  wasOutSince(at: number): boolean {
    return this.#outages.some(({ to }) => to > at)
  }

  /** A token of a user, as a client of the tenant has it. */
  userToken(sub: string, lifetime = 3_600): string {
    return this.#mint(
      { sub, client_id: 'web', grant: `g-${String(this.#count)}` },
      lifetime,
      undefined,
    )
  }

  /** By `jti`, `grant_id` or `sub`. */
  revoke(what: string): void {
    if (!this.#revoked.has(what)) this.#revoked.set(what, this.#clock.monotonic())
  }

  /** Monotonic; undefined: it was not. */
  revokedAt({ claims, grant, sub }: KnownToken): number | undefined {
    const times = [String(claims['jti']), grant, sub].flatMap(
      (what) => this.#revoked.get(what) ?? [],
    )
    return times.length > 0 ? Math.min(...times) : undefined
  }

  isGood(token: string): boolean {
    const known = this.issued.get(token)
    return known !== undefined && known.exp > this.now && this.revokedAt(known) === undefined
  }

  exchange(request: ExchangeRequest): Promise<IssuedToken | ExchangeFailure> {
    this.asked.push(request)
    return Promise.resolve(this.#exchange(request))
  }

  #exchange(request: ExchangeRequest): IssuedToken | ExchangeFailure {
    if (this.isOut) return new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')
    const { subjectToken, actor, audiences, scope } = request
    const known = this.issued.get(subjectToken)
    const answer = (token: string): IssuedToken => ({
      accessToken: token,
      scope: this.grants ?? scope?.join(' ') ?? 'read',
      lifetimeSeconds: (this.issued.get(token)?.exp ?? 0) - this.now,
    })
    if (!actor && !known) return answer(this.#ofProof(subjectToken))
    const acting = actor && this.issued.get(actor.token)
    if (!known || !this.isGood(subjectToken) || (actor && !this.isGood(actor.token))) {
      return new ExchangeFailure('relayed', 'invalid_request', 'it answered 400')
    }
    const clientId = acting?.clientId ?? known.clientId
    const pair = `${known.sub} ${clientId}`
    if (this.undecided.has(pair)) return this.#consentMissing(pair)
    const act = acting
      ? { sub: acting.sub, iss: TENANT_ISSUER, client_id: clientId, ...actOf(known) }
      : known.claims['act']
    const left = Math.min(known.exp, acting?.exp ?? Infinity) - this.now
    return answer(
      this.#mint(
        {
          sub: known.sub,
          client_id: clientId,
          grant: known.grant,
          act,
          aud: audiences,
          ...this.twist,
        },
        Math.min(left, LIFETIME),
        subjectToken,
      ),
    )
  }

  #ofProof(proof: string): string {
    const { sub } = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string
    }
    const name = sub.split(':').at(-1) ?? ''
    return this.#mint(
      { sub: `agent:${name}`, client_id: name, grant: `own-${name}` },
      3_600,
      undefined,
    )
  }

  #consentMissing(pair: string): ExchangeFailure {
    const open = [...this.approvals].find(
      ([, one]) => one.pair === pair && one.status === 'pending',
    )
    const approval = open?.[0] ?? `approval-${String((this.#count += 1))}`
    if (!open) this.approvals.set(approval, { status: 'pending', pair })
    const members = { code: 'consent_required', approval, expires_in: 600 }
    return new ExchangeFailure('refused', 'access_denied', 'it answered 403', undefined, members)
  }

  decide(approval: string, status: 'approved' | 'denied'): void {
    const known = this.approvals.get(approval)
    if (!known) throw new Error('no such approval')
    known.status = status
    if (status === 'approved') this.undecided.delete(known.pair)
  }

  #mint(
    { grant, ...claims }: Claims & { readonly grant: string },
    lifetime: number,
    from: string | undefined,
  ): string {
    this.#count += 1
    const exp = this.now + lifetime
    const jti = `jti-${String(this.#count)}`
    const all: Claims = { iss: TENANT_ISSUER, iat: this.now, exp, jti, grant_id: grant, ...claims }
    const token = proofOf(all)
    this.issued.set(token, {
      token,
      claims: all,
      sub: String(all['sub']),
      clientId: String(all['client_id']),
      actors: actorsIn(all['act']),
      grant,
      exp,
      from,
      vouchedAt: this.#clock.monotonic(),
    })
    return token
  }

  /** The routes beside the token endpoint. */
  readonly link: AuthorityLink = (request) => {
    const {
      path: { segments },
      headers,
      body,
    } = request
    if (this.isOut) return Promise.resolve(new LinkFailure('unavailable', 'ECONNREFUSED'))
    if (this.busyFor(request)) return Promise.resolve(pageOf(429, {}, { 'retry-after': '60' }))
    const form = new URLSearchParams(Buffer.from(body ?? []).toString())
    const own = (headers['authorization'] ?? '').slice('Bearer '.length)
    const [family, name, , approval = ''] = segments
    if (family === 'oauth' && name === 'revoke') return this.#revocation(form.get('token') ?? '')
    if (!this.isGood(own)) return Promise.resolve(pageOf(401, {}))
    if (family === 'agents') {
      const { status } = this.approvals.get(approval) ?? {}
      return Promise.resolve(status === undefined ? pageOf(404, {}) : pageOf(200, { status }))
    }
    const token = form.get('token') ?? ''
    const known = this.issued.get(token)
    const active = this.isGood(token)
    if (known && active) known.vouchedAt = this.#clock.monotonic()
    return Promise.resolve(pageOf(200, { active }))
  }

  #revocation(token: string): Promise<LinkAnswer> {
    const known = this.issued.get(token)
    if (known) this.revoke(String(known.claims['jti']))
    return Promise.resolve(pageOf(200, {}))
  }
}

function actOf({ claims }: KnownToken) {
  return claims['act'] === undefined ? {} : { act: claims['act'] }
}

function actorsIn(act: unknown): readonly string[] {
  if (typeof act !== 'object' || act === null) return []
  const { sub, act: inner } = act as { sub?: unknown; act?: unknown }
  return [String(sub), ...actorsIn(inner)]
}

function pageOf(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): LinkAnswer {
  return { status, header: (name) => headers[name], body: JSON.stringify(body) }
}

/** Pods of agents before such an authority, by the parts that a broker is composed of. */
export function actingWorld(
  clock: FakeClock,
  {
    bounds = {},
    limits = {},
  }: { bounds?: Partial<SubjectsBounds>; limits?: Partial<LocalLimits> } = {},
) {
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const authority = new ActingAuthority(clock)
  const around = { clock, random: systemRandom, log, metrics }
  const identifiers = new Identifiers(systemRandom)
  const workloads: Workload[] = []
  let policy: LocalPolicy | undefined
  const gate = new LocalGate({
    policy: () => policy,
    limits: { ...ampleLimits, ...limits },
    ...around,
  })
  const getToken = new GetToken({ exchanger: authority, gate, maxFlights: 1_000, ...around })
  const delegation = openDelegation(
    {
      getToken,
      gate,
      limits: { ...ampleLimits, ...limits },
      exchanger: authority,
      link: authority.link,
      workloads: () => workloads,
    },
    {
      ...around,
      files: new FakeFiles({}),
      http: () => Promise.reject(new Error('no network here')),
    },
  )
  const stop = delegation.watch()
  /** A pod of an agent. `become` puts another's proof in its volume. */
  const pod = (agent: string, uid = agent) => {
    const proof = (name: string, id: string): string =>
      proofOf({
        ...proofClaims(Math.floor(clock.wall() / 1000)),
        exp: Math.floor(clock.wall() / 1000) + 86_400 * 30,
        sub: `system:serviceaccount:research:${name}`,
        'kubernetes.io': { pod: { name, uid: id } },
      })
    const files = new FakeFiles({ [proofPath]: proof(agent, uid) })
    const workload = new Workload(
      proofFile(proofPath, proofAudience, { ...around, files }),
      {
        tenant: 'acme-corp',
        maxEntries: 1_000,
        rateLimit: { perSecond: 1e6, burst: 1e6 },
        delegation: { maxSessions: 100, sessionIdleMs: 900_000, ...bounds },
      },
      { ...around, identifiers },
    )
    workloads.push(workload)
    const become = async (name: string, id = name): Promise<void> => {
      files.write(proofPath, proof(name, id))
      await workload.proofs.read()
    }
    return { workload, become }
  }
  return {
    ...around,
    ...delegation,
    authority,
    gate,
    getToken,
    pod,
    stop,
    usePolicy: (changed: LocalPolicy | undefined) => {
      policy = changed
    },
  }
}

export type ActingWorld = ReturnType<typeof actingWorld>
