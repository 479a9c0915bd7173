import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bearer } from '../../../src/broker/bearers.ts'
import { ownerOf, type Behalf } from '../../../src/broker/delegation/acting_for.ts'
import { readSubject } from '../../../src/broker/delegation/subject.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { wishFor } from '../../../src/broker/wish.ts'
import { tokenTypes } from '../../../src/oauth/token_types.ts'
import { actingWorld, type ActingWorld, type KnownToken } from '../../fakes/acting_world.ts'
import { inTime, pass, settled } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { share } from '../../fuzz/share.ts'

/** What can happen, in any order. Numbers choose among what there is. */
type Step =
  | { readonly do: 'begin'; readonly pod: number; readonly user: number }
  | { readonly do: 'ask'; readonly session: number; readonly by: number; readonly target: number }
  | {
      readonly do: 'ask_loose'
      readonly pod: number
      readonly user: number
      readonly target: number
    }
  | { readonly do: 'own'; readonly pod: number; readonly target: number }
  | { readonly do: 'end'; readonly session: number }
  | { readonly do: 'stream'; readonly session: number; readonly target: number }
  | { readonly do: 'revoke'; readonly kind: 'jti' | 'grant' | 'sub'; readonly of: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'jump'; readonly seconds: number }
  | { readonly do: 'out' | 'back' }
  | { readonly do: 'become'; readonly pod: number; readonly agent: number }
  | { readonly do: 'login'; readonly user: number }

const some = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const), pod: some, user: some }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      session: some,
      // Mostly its own pod, sometimes another.
      by: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: some }),
      target: fc.nat(1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask_loose' as const),
      pod: some,
      user: some,
      target: fc.nat(1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('own' as const), pod: some, target: fc.nat(1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), session: some }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('stream' as const), session: some, target: fc.nat(1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('revoke' as const),
      kind: fc.constantFrom('jti' as const, 'grant' as const, 'sub' as const),
      of: some,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(59, 61, 300, 880, 905)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      seconds: fc.constantFrom(-86_400, -600, -30, 30, 600),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('out' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('back' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('become' as const), pod: some, agent: some }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('login' as const), user: some }) },
)

/** A long while is passed over in one step by the clock, and costs as much as so many looks. */
const waiting = (...seconds: readonly number[]): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(...seconds) })
const asking = (session: number, target = 0): fc.Arbitrary<Step> =>
  fc.constant({ do: 'ask', session, by: -1, target })

/** What is rare by chance, and what the bounds are about: the same token asked for again after just so long. */
const episode: fc.Arbitrary<readonly Step[]> = fc.nat(2).chain((session) =>
  fc.oneof(
    fc.tuple(
      asking(session),
      waiting(14, 16, 17, 20),
      fc.record({
        do: fc.constant('revoke' as const),
        kind: fc.constantFrom('jti' as const, 'grant' as const),
        of: fc.constant(0),
      }),
      waiting(1, 14, 20, 26, 29, 31, 34, 44),
      asking(session),
    ),
    fc.tuple(
      asking(session),
      fc.constant<Step>({ do: 'out' }),
      waiting(29, 31, 58, 59, 60, 61, 75, 88),
      asking(session),
      fc.constant<Step>({ do: 'back' }),
      asking(session),
    ),
    // The next token could not be fetched ahead of time, and this one is about to end.
    fc.tuple(
      asking(session),
      fc.constant<Step>({ do: 'out' }),
      waiting(880, 886, 890, 895),
      fc.constant<Step>({ do: 'back' }),
      asking(session),
    ),
    fc.tuple(
      fc.constant<Step>({ do: 'ask_loose', pod: 0, user: session, target: 0 }),
      fc.record({ do: fc.constant('become' as const), pod: fc.constant(0), agent: some }),
      fc.constant<Step>({ do: 'ask_loose', pod: 0, user: session, target: 0 }),
    ),
  ),
)

const play: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: step.map((one): readonly Step[] => [one]) },
      { weight: 1, arbitrary: episode },
    ),
    { minLength: 10, maxLength: 45 },
  )
  .map((parts) => [{ do: 'begin', pod: 0, user: 0 } as const, ...parts.flat()])

const runs = share(0.005)
const users = ['user_a', 'user_b', 'user_c']
const agents = ['orchestrator', 'specialist', 'doc-analyst']
const targets = ['https://docs.example', 'https://files.example'].map((audience) =>
  wishFor({ audiences: [audience], resources: [], scope: ['read'], agent: undefined }),
)

interface Session {
  readonly id: string
  readonly pod: Pod
  readonly agent: string
  readonly subjectToken: string
  hasEnded: boolean
}

interface Pod {
  readonly workload: ReturnType<ActingWorld['pod']>['workload']
  readonly become: ReturnType<ActingWorld['pod']>['become']
  agent: string
}

interface Stream {
  readonly known: KnownToken
  readonly session: Session
  isOpen: boolean
}

/** All that was handed out, and what has to be true of it. */
class Play {
  readonly clock = new FakeClock()
  readonly world = actingWorld(this.clock)
  readonly pods: Pod[] = agents.map((agent) => ({ ...this.world.pod(agent), agent }))
  readonly logins = users.map((user) => this.world.authority.userToken(user))
  readonly sessions: Session[] = []
  readonly streams: Stream[] = []
  /** Within which session each token was served; without one, of which pod and subject token. */
  readonly servedTo = new Map<string, string>()
  readonly delegated: KnownToken[] = []
  served = 0

  async run(step: Step): Promise<void> {
    const { authority } = this.world
    switch (step.do) {
      case 'begin':
        await this.#begin(this.#podOf(step.pod), this.#loginOf(step.user))
        break
      case 'ask': {
        const session = this.#sessionOf(step.session)
        const pod = step.by < 0 ? session?.pod : this.#podOf(step.by)
        if (session && pod) await this.#ask(pod, session, step.target)
        break
      }
      case 'ask_loose': {
        const pod = this.#podOf(step.pod)
        const token = this.#loginOf(step.user)
        const bearer = await this.#bearer(pod, { kind: 'token', token }, step.target)
        if (bearer) this.#isRight(bearer, pod, token, `${pod.agent} ${token}`)
        break
      }
      case 'own': {
        const pod = this.#podOf(step.pod)
        const bearer = await this.#bearer(pod, undefined, step.target)
        if (bearer) expect(authority.issued.get(bearer.token)?.sub).toBe(`agent:${pod.agent}`)
        break
      }
      case 'end':
        await this.#end(this.#sessionOf(step.session))
        break
      case 'stream':
        await this.#stream(this.#sessionOf(step.session), step.target)
        break
      case 'revoke':
        this.#revoke(step.kind, step.of)
        break
      case 'wait':
        await pass(this.clock, step.seconds * 1_000)
        break
      case 'jump':
        this.clock.jump(step.seconds * 1_000)
        break
      case 'out':
        authority.goOut()
        break
      case 'back':
        authority.comeBack()
        break
      case 'become': {
        const pod = this.#podOf(step.pod)
        pod.agent = agents[step.agent % agents.length] ?? ''
        await pod.become(pod.agent)
        break
      }
      case 'login':
        this.logins[step.user % users.length] = authority.userToken(
          users[step.user % users.length] ?? '',
        )
    }
    await settled()
    this.#streamsAreInTime()
  }

  #podOf(index: number): Pod {
    const pod = this.pods[index % this.pods.length]
    if (!pod) throw new Error('there are pods')
    return pod
  }

  #loginOf(index: number): string {
    return this.logins[index % this.logins.length] ?? ''
  }

  #sessionOf(index: number): Session | undefined {
    return this.sessions[index % this.sessions.length]
  }

  async #begin(pod: Pod, subjectToken: string): Promise<void> {
    const owner = await ownerOf(pod.workload)
    const subject = readSubject(subjectToken, tokenTypes.access_token, this.clock)
    if (owner instanceof BrokerError || subject instanceof BrokerError) return
    const id = pod.workload.subjects.begin(subject, owner)
    if (id instanceof BrokerError) return
    this.sessions.push({ id, pod, agent: pod.agent, subjectToken, hasEnded: false })
  }

  async #bearer(pod: Pod, behalf: Behalf | undefined, target: number): Promise<Bearer | undefined> {
    const wish = targets[target]
    if (!wish) throw new Error('there are targets')
    const result = await inTime(
      Promise.resolve(this.world.bearers.of(pod.workload, wish, behalf)),
      this.clock,
    )
    return result instanceof BrokerError ? undefined : result
  }

  async #ask(pod: Pod, session: Session, target: number): Promise<Bearer | undefined> {
    const bearer = await this.#bearer(pod, { kind: 'session', id: session.id }, target)
    if (!bearer) return undefined
    // A session is of one pod as one agent, and over once it was ended.
    expect([pod, pod.agent, session.hasEnded]).toEqual([session.pod, session.agent, false])
    this.#isRight(bearer, pod, session.subjectToken, session.id)
    return bearer
  }

  #isRight({ token }: Bearer, pod: Pod, subjectToken: string, servedTo: string): void {
    const { authority } = this.world
    const known = authority.issued.get(token)
    const subject = authority.issued.get(subjectToken)
    if (!known || !subject) throw new Error('nobody issued this')
    this.served += 1
    expect(known.from).toBe(subjectToken)
    expect([known.sub, known.clientId, known.actors]).toEqual([
      subject.sub,
      pod.agent,
      [`agent:${pod.agent}`],
    ])
    expect(this.servedTo.get(token) ?? servedTo).toBe(servedTo)
    this.servedTo.set(token, servedTo)
    if (!this.delegated.includes(known)) this.delegated.push(known)
    expect(known.exp - authority.now).toBeGreaterThanOrEqual(15)
    expect(subject.exp).toBeGreaterThanOrEqual(authority.now)
    this.#isInTime(known)
  }

  /** Not later than 30 s after it was revoked, and never later than 60 s after the authority last vouched for it. */
  #isInTime(known: KnownToken): void {
    const { authority } = this.world
    const now = this.clock.monotonic()
    expect(now - known.vouchedAt).toBeLessThanOrEqual(60_000)
    const revokedAt = authority.revokedAt(known)
    if (revokedAt === undefined || authority.wasOutSince(revokedAt - 30_000)) return
    expect(now - revokedAt).toBeLessThanOrEqual(30_000)
  }

  async #stream(session: Session | undefined, target: number): Promise<void> {
    const bearer = session && (await this.#ask(session.pod, session, target))
    const known = bearer && this.world.authority.issued.get(bearer.token)
    if (!session || !bearer || !known) return
    const stream: Stream = { known, session, isOpen: true }
    this.streams.push(stream)
    bearer.whenEnded(() => {
      stream.isOpen = false
    })
  }

  #streamsAreInTime(): void {
    for (const { known, session, isOpen } of this.streams) {
      if (!isOpen) continue
      expect(session.hasEnded).toBe(false)
      // One look a second, and the answer to the question that it begins.
      expect(this.clock.monotonic() - known.vouchedAt).toBeLessThanOrEqual(61_000)
      const revokedAt = this.world.authority.revokedAt(known)
      if (revokedAt === undefined || this.world.authority.wasOutSince(revokedAt - 30_000)) continue
      expect(this.clock.monotonic() - revokedAt).toBeLessThanOrEqual(30_000)
    }
  }

  async #end(session: Session | undefined): Promise<void> {
    if (!session) return
    const owner = await ownerOf(session.pod.workload)
    if (owner instanceof BrokerError) return
    const { subjects } = session.pod.workload
    const acting = subjects.session(session.id, owner)
    if (acting instanceof BrokerError) return
    const ended = this.delegated.filter(({ token }) => this.servedTo.get(token) === session.id)
    session.hasEnded = true
    const { authority, revoke } = this.world
    await inTime(revoke(subjects.end(acting)), this.clock)
    if (authority.isOut) return
    for (const { token } of ended) expect(authority.isGood(token)).toBe(false)
  }

  #revoke(kind: 'jti' | 'grant' | 'sub', of: number): void {
    // Of the newest first.
    const known = this.delegated.at(-1 - (of % Math.max(1, this.delegated.length)))
    if (!known) return
    const what = { jti: String(known.claims['jti']), grant: known.grant, sub: known.sub }
    this.world.authority.revoke(what[kind])
  }
}

test('whatever happens in whatever order, no token is served to another session, subject or agent, nor too late', async () => {
  let served = 0
  await fc.assert(
    fc.asyncProperty(play, async (steps) => {
      const stage = new Play()
      for (const each of steps) await stage.run(each)
      served += stage.served
      stage.world.stop()
    }),
    runs,
  )
  // A play in which nothing is served shows nothing.
  expect(served).toBeGreaterThan(runs.numRuns)
})
