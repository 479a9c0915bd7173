import { within, type Clock } from '../../platform/clock.ts'
import { subjectKey } from '../../policy/local/subject_key.ts'
import type { Answers } from '../answers.ts'
import type { Workload } from '../caller/workload.ts'
import { ownerOf } from '../delegation/find_acting.ts'
import { readSessionAsk } from '../delegation/ask.ts'
import type { Delegated } from '../delegation/delegated.ts'
import type { OwnTokens } from '../delegation/own_tokens.ts'
import { depthFor, partOf, readSubject, type SubjectToken } from '../delegation/subject.ts'
import { BrokerError } from '../errors.ts'
import type { LocalGate } from '../local_gate.ts'
import type { Handler } from './token.ts'

export interface SessionRouteDependencies {
  readonly ownTokens: OwnTokens
  readonly gate: LocalGate
  readonly revoke: (workload: Workload, tokens: readonly Delegated[]) => Promise<void>
  readonly sessionIdleMs: number
  readonly clock: Clock
  readonly answers: Answers
}

/** What whoever ends a session waits for its tokens to be revoked; that goes on all the same. */
const REVOKE_PATIENCE_MS = 5_000

/** `POST /v1/sessions` and `DELETE /v1/sessions/{session}`: what an agent acts for somebody within, and what ends with it. */
export function sessionRoutes(dependencies: SessionRouteDependencies) {
  const { clock, answers, sessionIdleMs, revoke } = dependencies
  const post: Handler = async (workload, request, reply) => {
    const refuse = (error: BrokerError) => answers.refuse(reply, 'sessions', error)
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const ask = readSessionAsk(request.raw, body)
    if (ask instanceof BrokerError) return refuse(ask)
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) return refuse(owner)
    const subject = readSubject(ask.subject.token, ask.subject.tokenType, clock)
    if (subject instanceof BrokerError) return refuse(subject)
    const denied = await denies(workload, subject, ask.agent, dependencies)
    if (denied) return refuse(denied)
    const session = workload.subjects.begin(subject, owner)
    if (session instanceof BrokerError) return refuse(session)
    const left = subject.expiresAt * 1000 - clock.wall()
    const answer = {
      session,
      expires_in: Math.floor(left / 1000),
      idle_timeout: sessionIdleMs / 1000,
      sub: subject.sub,
    }
    return answers.sendAs(reply, 'sessions', {
      status: 201,
      headers: { location: `/v1/sessions/${session}` },
      body: JSON.stringify(answer),
    })
  }
  const end: Handler = async (workload, request, reply) => {
    const refuse = (error: BrokerError) => answers.refuse(reply, 'sessions', error)
    if (request.raw.url?.includes('?') === true) return refuse(new BrokerError('parameter_unknown'))
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) return refuse(owner)
    const { session: id = '' } = request.params as { session?: string }
    const acting = workload.subjects.session(id, owner)
    if (acting instanceof BrokerError) return refuse(acting)
    const revoked = revoke(workload, workload.subjects.end(acting))
    await within(clock, REVOKE_PATIENCE_MS, revoked, () => undefined)
    return answers.sendAs(reply, 'sessions', { status: 204, headers: {}, body: undefined })
  }
  return { post, end }
}

/** What no exchange within the session could bring: better said at its beginning. */
async function denies(
  workload: Workload,
  subject: SubjectToken,
  agent: string | undefined,
  { ownTokens, gate }: SessionRouteDependencies,
): Promise<BrokerError | undefined> {
  const own = await ownTokens.plain(workload, agent)
  if (own instanceof BrokerError) return own
  const part = partOf(subject, own.agent)
  if (part === 'own') return new BrokerError('subject_own')
  if (part === 'stranger') return new BrokerError('subject_foreign')
  return (
    gate.deniesDelegation(workload, depthFor(subject, part)) ??
    gate.deniesSubject(workload, subjectKey(subject))
  )
}
