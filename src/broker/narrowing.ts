import { ExchangeFailure, type IssuedToken } from '../exchange/exchanger.ts'
import type { Workload } from './caller/workload.ts'
import type { LocalGate } from './local_gate.ts'
import { changedWish, type Wish } from './wish.ts'

export interface Narrowing<Answer> {
  readonly gate: LocalGate
  readonly workload: Workload
  /** Asks the authority once. */
  readonly ask: (wish: Wish) => Promise<Answer>
  readonly resultOf: (answer: Answer) => IssuedToken | ExchangeFailure | undefined
  /** What a token is for, where its request named no target. */
  readonly reachOf?: (issued: IssuedToken, asked: Wish) => Wish
}

/** What came, and what was asked for last. */
export interface Narrowed<Answer> {
  readonly asked: Wish
  readonly answer: Answer
}

/**
 * Asks for what the local policy allows, where the caller names no scope. An authority may answer `invalid_scope` to a scope
 * of which it would grant a part (RFC 6749 section 3.3 leaves it the choice). The policy is an upper bound, and it would be
 * wrong to refuse for it what the agent may have within it: then all that there is is asked for, and if that is more, what
 * both allow. Whatever comes is still to be judged. `completed`: the wish as the gate completes it.
 */
export async function askNarrowed<Answer>(
  wish: Wish,
  completed: Wish,
  { gate, workload, ask, resultOf, reachOf = (_issued, asked) => asked }: Narrowing<Answer>,
): Promise<Narrowed<Answer>> {
  const answer = await ask(completed)
  // What the caller names is asked for as it is named, and nothing instead.
  if (wish.scope) return { asked: completed, answer }
  if (!completed.scope) return within(completed, answer)
  if (!isScopeRefused(resultOf(answer))) return { asked: completed, answer }
  const open = changedWish(completed, { scope: undefined })
  return within(open, await ask(open))

  async function within(asked: Wish, answer: Answer): Promise<Narrowed<Answer>> {
    const issued = resultOf(answer)
    if (!issued || issued instanceof ExchangeFailure) return { asked, answer }
    const scope = gate.commonScope(workload, reachOf(issued, asked), issued.scope)
    if (!scope) return { asked, answer }
    const less = changedWish(asked, { scope })
    return { asked: less, answer: await ask(less) }
  }
}

function isScopeRefused(result: IssuedToken | ExchangeFailure | undefined): boolean {
  return (
    result instanceof ExchangeFailure &&
    result.kind === 'relayed' &&
    result.error === 'invalid_scope'
  )
}
