import { expect } from 'vitest'
import type { Bearer } from '../../../src/broker/bearers.ts'
import { ownerOf, type Behalf } from '../../../src/broker/delegation/find_acting.ts'
import { readSubject } from '../../../src/broker/delegation/subject.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { wishFor } from '../../../src/broker/wish.ts'
import { tokenTypes } from '../../../src/oauth/token_types.ts'
import { actingWorld, type ActingWorld, type KnownToken } from '../../fakes/acting_world.ts'
import { inTime, pass, settled } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import type { Step } from './steps.ts'

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
export class Stage {
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
    await inTime(revoke(session.pod.workload, subjects.end(acting)), this.clock)
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
