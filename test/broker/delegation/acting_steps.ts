import type { Workload } from '../../../src/broker/caller/workload.ts'
import type { Acted } from '../../../src/broker/delegation/act_for.ts'
import { actingFor, ownerOf, type Behalf } from '../../../src/broker/delegation/find_acting.ts'
import type { Handle } from '../../../src/broker/delegation/handle.ts'
import { readSubject } from '../../../src/broker/delegation/subject.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { accessTokenOf } from '../../../src/broker/servable.ts'
import { wishFor, type Wish } from '../../../src/broker/wish.ts'
import { tokenTypes } from '../../../src/oauth/token_types.ts'
import type { ActingWorld } from '../../fakes/acting_world.ts'
import { inTime } from '../../fakes/broker.ts'

/** A wish for one target. */
export function at(audience: string, scope: readonly string[] = ['read']): Wish {
  return wishFor({ audiences: [audience], resources: [], scope, agent: undefined })
}

export const docs = at('https://docs.example')

export const byToken = (token: string): Behalf => ({ kind: 'token', token })
export const bySession = (id: string): Behalf => ({ kind: 'session', id })

/** Begins a session, or throws with the code. */
export async function begin(
  { clock }: ActingWorld,
  workload: Workload,
  token: string,
): Promise<string> {
  const owner = await ownerOf(workload)
  const subject = readSubject(token, tokenTypes.access_token, clock)
  if (owner instanceof BrokerError || subject instanceof BrokerError) throw new Error('no session')
  const id = workload.subjects.begin(subject, owner)
  if (id instanceof BrokerError) throw new Error(id.code)
  return id
}

/** Asks as the route does. */
export async function act(
  world: ActingWorld,
  workload: Workload,
  behalf: Behalf,
  wish: Wish = docs,
): Promise<Acted | Handle | BrokerError> {
  const owner = await ownerOf(workload)
  if (owner instanceof BrokerError) return owner
  const acting = actingFor(workload, owner, behalf, world)
  if (acting instanceof BrokerError) return acting
  const cached = world.actFor.fromCache(acting, wish)
  const result = cached ?? (await inTime(world.actFor.get(workload, acting, wish), world.clock))
  workload.subjects.forgetIfEmpty(acting)
  return result
}

/** The token, the code of the refusal, or that a handle came. */
export function shown(result: Acted | Handle | BrokerError): string {
  if (result instanceof BrokerError) return result.code
  return 'delegated' in result ? accessTokenOf(result.delegated) : `handle ${result.state.status}`
}

/** The same where a token has to come. */
export function tokenIn(result: Acted | Handle | BrokerError): string {
  if (result instanceof BrokerError || !('delegated' in result)) throw new Error(shown(result))
  return accessTokenOf(result.delegated)
}
