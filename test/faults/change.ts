import { writeFile } from 'node:fs/promises'
import type { Fault } from './faulty_server.ts'
import type { ProofState } from './cluster.ts'
import type { Certificate } from './ground.ts'
import { localPolicyOf, type World } from './world.ts'

/** What happens at the beginning of a step, all at once. */
export interface Change {
  /** How the authority answers from now on. */
  readonly upstream?: Fault
  readonly certificate?: Certificate
  /** Whether the authority's name can be resolved. */
  readonly name?: 'known' | 'unknown'
  /** The process of the authority itself. */
  readonly process?: 'stopped' | 'started'
  readonly agent?: 'enabled' | 'disabled'
  readonly localPolicy?: 'wide' | 'narrow'
  readonly proof?: ProofState
  /** The cluster signs with a new key. `replaced`: the old one is withdrawn; `added`: it is still published. */
  readonly clusterKey?: 'replaced' | 'added'
  readonly keySet?: 'published' | 'out'
  /** Sets a wall clock so many seconds off the true time. */
  readonly clock?: Partial<Record<'broker' | 'authority', number>>
  /** Lets so many seconds pass for everybody, in no time. */
  readonly pass?: number
}

/** Makes it so. Time passes last: what falls due meets the rest as it is by then. */
export async function make(change: Change, world: World): Promise<void> {
  const { door, authority, cluster, clocks, era } = world
  if (change.certificate !== undefined) {
    door.useCertificate(world.ground.certificates[change.certificate])
  }
  if (change.name !== undefined) world.useName(change.name === 'known')
  if (change.process === 'stopped') {
    await door.use('refused')
    await authority.stop()
  }
  if (change.process === 'started') {
    await authority.start()
    await door.use('none')
  }
  if (change.upstream !== undefined) await door.use(change.upstream)
  if (change.agent !== undefined) await authority.useAgent(change.agent === 'enabled')
  if (change.localPolicy !== undefined) {
    await writeFile(world.localPolicyFile, localPolicyOf(change.localPolicy === 'wide'))
  }
  if (change.keySet !== undefined) await cluster.publish(change.keySet === 'out')
  if (change.clusterKey !== undefined) cluster.rotate(change.clusterKey === 'added')
  if (change.proof !== undefined) await cluster.useProof(change.proof)
  for (const machine of ['broker', 'authority'] as const) {
    const off = change.clock?.[machine]
    if (off !== undefined) clocks[machine].setOff(off * 1000)
  }
  if (change.pass !== undefined) era.advance(change.pass * 1000)
}
