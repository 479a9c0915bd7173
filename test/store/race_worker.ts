import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import type { Race } from './race.ts'
import { client, now, rotation, sha256, signingKey } from './records.ts'

/** What racers ask of the store, each with its place. */
export const contests = {
  keepFirstSigningKey: async (store, at) => {
    const kept = await store.keepFirstSigningKey(signingKey({ kid: `kid-${String(at)}` }))
    return kept.map(({ kid }) => kid)
  },
  signingKeys: async (store) => (await store.signingKeys('acme-corp')).map(({ kid }) => kid),
  rotateToOne: (store) => store.rotateRefresh(rotation(0, 0)),
  rotateToMany: (store, at) =>
    store.rotateRefresh(rotation(0, 0, { successorHash: sha256(`successor ${String(at)}`) })),
  consumeCode: (store) => store.consumeCode('acme-corp', sha256('code')),
  reserve: (store) =>
    store.reserve({ tenant: 'acme-corp', owner: 'dpop', jti: 'j', expiresAt: now + 1 }, now),
  addClient: (store, at) => store.addClient(client({ createdAt: at })),
  retireSigningKey: (store, at) => store.retireSigningKey('acme-corp', `kid-${String(at)}`, now),
} satisfies Record<string, (store: Store, at: number) => Promise<unknown>>

if (!isMainThread) await run(workerData as Race)

async function run({ contest, files, gates, racers, at }: Race): Promise<void> {
  const arrived = new Int32Array(gates)
  const told: unknown[] = []
  for (const [place, file] of files.entries()) {
    meet(arrived, place, racers)
    told.push(await enter(file, contest, at))
  }
  parentPort?.postMessage(told, [])
}

/** Waits until all the others are there, too. */
function meet(arrived: Int32Array, place: number, racers: number): void {
  if (Atomics.add(arrived, place, 1) === racers - 1) Atomics.notify(arrived, place)
  for (
    let seen = Atomics.load(arrived, place);
    seen < racers;
    seen = Atomics.load(arrived, place)
  ) {
    Atomics.wait(arrived, place, seen)
  }
}

async function enter(file: string, contest: Race['contest'], at: number): Promise<unknown> {
  try {
    const store = sqliteStore(file)
    const answer = await contests[contest](store, at)
    await store.close()
    return answer
  } catch (error) {
    return error instanceof Error ? error.message.replace(file, 'FILE') : 'unknown'
  }
}
