import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Approval } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** How long an agent may wait for the answer of a user, and how long a denial stands: both from when it was asked. */
const LIFETIME_SECONDS = 600

/** An approval that an agent can wait for. `expiresInSeconds`: how long it can be answered or, where it was denied, how long that stands. */
export interface OpenApproval {
  readonly id: string
  readonly expiresInSeconds: number
}

/** What an agent asks a user for. */
type Asked = Pick<Approval, 'user' | 'agent' | 'scopes' | 'chain'>

interface ApprovalsDependencies {
  readonly tenant: string
  readonly store: Pick<
    Store,
    'openApproval' | 'approval' | 'approvals' | 'decideApproval' | 'expireApprovals'
  >
  readonly clock: Clock
  readonly random: Random
}

/** What agents ask users for, where an exchange found that nothing was allowed yet. */
export class Approvals {
  readonly #dependencies: ApprovalsDependencies

  constructor(dependencies: ApprovalsDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Opens one, or finds the one that is open or was denied, whatever it asked for: an agent that tries again waits for the same
   * answer, and learns of the same denial.
   */
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

  /** Of a user, oldest first. */
  pendingOf(user: string): Promise<readonly Approval[]> {
    const { tenant, store, clock } = this.#dependencies
    return store.approvals(tenant, unixSeconds(clock), user)
  }

  /** What became of one. That nobody answered in time is so from that second on, whether or not it was written down yet. */
  async find(id: string): Promise<(Approval & OpenApproval) | undefined> {
    const { tenant, store, clock } = this.#dependencies
    const approval = await store.approval(tenant, id)
    if (!approval) return undefined
    const expiresInSeconds = Math.max(0, approval.expiresAt - unixSeconds(clock))
    const isOver = approval.status === 'pending' && expiresInSeconds === 0
    return { ...approval, expiresInSeconds, ...(isOver && { status: 'expired' as const }) }
  }

  /** Undefined: it is not theirs, or was answered or has expired. */
  decide(user: string, id: string, decision: 'approved' | 'denied'): Promise<Approval | undefined> {
    const { tenant, store, clock } = this.#dependencies
    return store.decideApproval(tenant, user, id, decision, unixSeconds(clock))
  }

  /** Those that nobody answered in time, each once. */
  expire(): Promise<readonly Approval[]> {
    const { tenant, store, clock } = this.#dependencies
    return store.expireApprovals(tenant, unixSeconds(clock))
  }
}
