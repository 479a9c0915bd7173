import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Approval, Store } from '../store/store.ts'

/** How long an agent may wait for the answer of a user. */
const LIFETIME_SECONDS = 600

/** An approval that an agent can wait for. */
export interface OpenApproval {
  readonly id: string
  readonly expiresInSeconds: number
}

/** What an agent asks a user for. */
type Asked = Pick<Approval, 'user' | 'agent' | 'scopes' | 'chain'>

interface ApprovalsDependencies {
  readonly tenant: string
  readonly store: Pick<Store, 'openApproval'>
  readonly clock: Clock
  readonly random: Random
}

/** What agents ask users for, where an exchange found that nothing was allowed yet. */
export class Approvals {
  readonly #dependencies: ApprovalsDependencies

  constructor(dependencies: ApprovalsDependencies) {
    this.#dependencies = dependencies
  }

  /** Opens one, or finds the one that is open: an agent that tries again waits for the same answer. */
  async open({ user, agent, scopes, chain }: Asked): Promise<OpenApproval> {
    const { tenant, store, clock, random } = this.#dependencies
    const createdAt = unixSeconds(clock)
    const { id, expiresAt } = await store.openApproval({
      tenant,
      id: random.uuid(),
      user,
      agent,
      scopes,
      chain,
      status: 'pending',
      createdAt,
      expiresAt: createdAt + LIFETIME_SECONDS,
    })
    return { id, expiresInSeconds: expiresAt - createdAt }
  }
}
