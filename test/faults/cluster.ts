import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { writeVolume } from '../../src/dev/kubelet.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { TlsPair } from '../../src/platform/listen.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { FaultyServer, type Given } from './faulty_server.ts'

export type ProofState = 'good' | 'missing' | 'empty' | 'half-written' | 'expired' | 'unreadable'

/** Long enough for every skip of a case; a cluster issues none for longer than a day. */
const PROOF_SECONDS = 12 * 3_600

/**
 * The cluster around a pod: its signing keys, the key set that it publishes over TLS, and the volume that the kubelet keeps.
 */
export class ClusterAround {
  readonly issuer: string
  readonly #now: () => number
  readonly #volume: string
  /** Those that can sign; how many of them do so far, the newest last; and how many of the oldest are withdrawn. */
  readonly #keys: readonly FakeCluster[]
  #used = 1
  #withdrawn = 0
  #server: FaultyServer | undefined
  /** Every proof that was made. */
  readonly proofs: string[] = []
  /** The newest, as a pod has it: good or not. */
  proof = ''

  /** `keys`: of one issuer, each the successor of the one before. */
  constructor(keys: readonly FakeCluster[], volume: string, now: () => number) {
    this.#keys = keys
    this.#now = now
    this.#volume = volume
    this.issuer = this.#signing.issuer
  }

  get proofFile(): string {
    return join(this.#volume, 'token')
  }

  async open(pair: TlsPair): Promise<{ readonly jwksUrl: string }> {
    this.#server = await FaultyServer.start(pair, () => this.#jwks())
    await this.useProof('good')
    return { jwksUrl: `https://127.0.0.1:${String(this.#server.port)}/openid/v1/jwks` }
  }

  /** Signs with another key from now on, and goes on publishing the one before, or not. */
  rotate(keepsOthers: boolean): void {
    this.#used += 1
    if (!keepsOthers) this.#withdrawn = this.#used - 1
  }

  /** Whether the key set can be fetched. */
  async publish(isOut: boolean): Promise<void> {
    await this.#server?.use(isOut ? 'refused' : 'none')
  }

  async makeProof(changes: TokenChanges = {}): Promise<string> {
    const now = this.#now()
    const claims = { iat: now, nbf: now, exp: now + PROOF_SECONDS, ...changes.claims }
    const proof = await this.#signing.token({ ...changes, claims })
    this.proofs.push(proof)
    return proof
  }

  /** What lies in the volume from now on; it is swapped at once. `good` is a new proof, as after a rotation. */
  async useProof(state: ProofState): Promise<void> {
    if (state === 'missing' || state === 'unreadable') {
      await this.#swap(state)
      return
    }
    const token = await this.#tokenFor(state)
    this.proof = token
    await writeVolume(this.#volume, { token }, systemRandom)
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }

  async #swap(state: 'missing' | 'unreadable'): Promise<void> {
    const folder = join(this.#volume, `..${state}`)
    await mkdir(folder)
    // A folder in the place of the file: what permissions forbid, root may read all the same.
    if (state === 'unreadable') await mkdir(join(folder, 'token'))
    const next = join(this.#volume, '..data_next')
    await rm(next, { force: true })
    await symlink(`..${state}`, next)
    await rename(next, join(this.#volume, '..data'))
  }

  async #tokenFor(state: 'good' | 'empty' | 'half-written' | 'expired'): Promise<string> {
    switch (state) {
      case 'good':
        return this.makeProof()
      case 'empty':
        return ''
      case 'half-written': {
        const token = await this.makeProof()
        return token.slice(0, token.length / 2)
      }
      case 'expired':
        return this.makeProof({ claims: { exp: this.#now() - 1 } })
    }
  }

  get #signing(): FakeCluster {
    const newest = this.#keys[this.#used - 1]
    if (!newest) throw new Error('the cluster has no other key')
    return newest
  }

  async #jwks(): Promise<Given> {
    const published = this.#keys.slice(this.#withdrawn, this.#used)
    const sets = await Promise.all(published.map((key) => key.jwks()))
    return {
      status: 200,
      headers: { 'content-type': 'application/jwk-set+json' },
      body: JSON.stringify({ keys: sets.flatMap(({ keys }) => keys) }),
    }
  }
}
