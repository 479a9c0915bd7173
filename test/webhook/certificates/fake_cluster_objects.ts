import {
  Outage,
  type ClusterObjects,
  type KeptLease,
  type KeptSecret,
  type LeaseClaim,
  type Writing,
} from '../../../src/webhook/certificates/cluster_objects.ts'

interface Stored<Content> {
  content: Content
  version: number
}

/** One write that took place. */
export interface WriteSeen {
  readonly by: string
  readonly what: string
}

/** The objects of a cluster, as the chart leaves them behind, with versions as the API server counts them. */
export class FakeClusterObjects {
  readonly secrets = new Map<string, Stored<Readonly<Record<string, string>>>>()
  readonly lease: Stored<{ holder?: string | undefined }> = { content: {}, version: 1 }
  readonly caBundles = new Map<string, string>()
  /** Values of `lumoauth.dev/ca`, one for each running pod that has it. */
  pods: string[] = []
  /** Every write, in order, but those of the Lease. */
  readonly writes: WriteSeen[] = []
  /** Whether the pods are listed; false: that request alone is not answered. */
  countable = true
  /** No request is answered. */
  down = false
  /** How far the clock of the API server is ahead of ours. */
  aheadMs = 0
  /** Requests that were asked, answered or not. */
  asked = 0
  /** Called before each write of a Secret takes place, as another writer may come first. */
  beforeWrite: (name: string, by: string) => void | Promise<void> = () => {}
  #version = 1

  constructor(secrets: readonly string[], webhookConfigurations: readonly string[]) {
    for (const name of secrets) this.secrets.set(name, { content: {}, version: 1 })
    for (const name of webhookConfigurations) this.caBundles.set(name, '')
  }

  data(name: string): Readonly<Record<string, string>> {
    return this.secrets.get(name)?.content ?? {}
  }

  /** Writes as a person does who asks nobody. */
  put(name: string, content: Readonly<Record<string, string>>): void {
    this.#version += 1
    this.secrets.set(name, { content, version: this.#version })
  }

  /** The objects as one replica sees them, that can be cut off for itself. */
  seenBy(replica: string): ClusterObjects & { cutOff: boolean; silent: boolean; aheadMs: number } {
    const answer = async <T>(give: () => T | Promise<T>): Promise<T | Outage> => {
      this.asked += 1
      await (view.silent ? new Promise(() => {}) : Promise.resolve())
      return this.down || view.cutOff ? new Outage('no answer in time') : give()
    }
    const view = {
      cutOff: false,
      /** Its requests are taken, and none is answered. */
      silent: false,
      /** How much more the clock of the API server is ahead of this replica's. */
      aheadMs: 0,
      readSecret: (name: string) =>
        answer((): KeptSecret | undefined => {
          const kept = this.secrets.get(name)
          return kept && { data: kept.content, resourceVersion: String(kept.version) }
        }),
      writeSecret: (name: string, data: Readonly<Record<string, string>>, version: string) =>
        answer(async (): Promise<Writing> => {
          await this.beforeWrite(name, replica)
          if (String(this.secrets.get(name)?.version) !== version) return 'conflict'
          this.put(name, data)
          this.writes.push({ by: replica, what: name })
          return 'written'
        }),
      readLease: () =>
        answer((): KeptLease => {
          const { content, version } = this.lease
          return { holder: content.holder, resourceVersion: String(version) }
        }),
      writeLease: ({ holder }: LeaseClaim, version: string) =>
        answer((): Writing => {
          if (String(this.lease.version) !== version) return 'conflict'
          this.lease.version += 1
          this.lease.content = { holder }
          return 'written'
        }),
      patchCaBundle: (name: string, pem: string) =>
        answer(() => {
          const current = this.caBundles.get(name)
          if (current === undefined) return 'absent' as const
          if (current === pem) return 'same' as const
          this.caBundles.set(name, pem)
          this.writes.push({ by: replica, what: name })
          return 'patched' as const
        }),
      podsTrusting: () =>
        answer(() => {
          if (!this.countable) return new Outage('no list of pods')
          const counts = new Map<string, number>()
          for (const ids of this.pods) counts.set(ids, (counts.get(ids) ?? 0) + 1)
          return counts
        }),
      clockAheadMs: () => this.aheadMs + view.aheadMs,
    }
    return view
  }
}
