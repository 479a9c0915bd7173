import assert from 'node:assert/strict'
import { agentPod, callerLoop, DEMO, inApp, tokenIn, untilReady } from '../pods.ts'
import { until, type Case } from '../world.ts'

const NAME = 'rotating'
const PROJECTED_SECONDS = 600
/** The kubelet swaps at about 480 s and looks once a minute. */
const PATIENCE_SECONDS = 420

/** Between the ends of two tokens there is more than that. */
const ANOTHER_SECONDS = 60

let firstEnd = Number.NaN

interface Identity {
  readonly proof: { readonly expires_in: number }
}

/** The kubelet swaps the projected token under a loop of callers; the next exchange shows the new one. */
export const rotation: Case = {
  name: 'rotation',
  async begin({ cluster }) {
    await cluster.apply(
      await agentPod(NAME, {
        proof: { expirationSeconds: PROJECTED_SECONDS },
        script: callerLoop,
      }),
    )
    await untilReady(cluster, NAME)
    const { proof } = await identity(cluster)
    assert.ok(proof.expires_in <= PROJECTED_SECONDS, 'the projection is short')
    firstEnd = endOf({ proof })
  },
  async run({ cluster }) {
    let asked = 0
    await until(
      'a rotated proof',
      async () => {
        // A target not asked for yet makes an exchange, and each exchange reads the proof anew.
        asked += 1
        const query = `?audience=${encodeURIComponent(`https://docs.example.com/${String(asked)}`)}`
        await tokenIn(cluster, NAME, query)
        return endOf(await identity(cluster)) > firstEnd + ANOTHER_SECONDS || undefined
      },
      PATIENCE_SECONDS,
    )
    // The new proof is good for a token.
    const body = await tokenIn(cluster, NAME, '?audience=https://docs.example.com')
    assert.equal(typeof body.access_token, 'string')
    const log = await cluster.kubectl('-n', DEMO, 'logs', NAME, '-c', 'app')
    assert.deepEqual(log.match(/^FAILED.*$/gm), null)
    assert.match(log, /^calls \d+$/m)
  },
}

/** When its proof ends, in Unix seconds. */
function endOf({ proof }: Identity): number {
  return Date.now() / 1000 + proof.expires_in
}

async function identity(cluster: Parameters<typeof inApp>[0]): Promise<Identity> {
  const script = `fetch('http://127.0.0.1:9180/v1/identity', { headers: { 'Lumo-Broker': 'true' } }).then(async (r) => console.log(await r.text()))`
  return (await inApp(cluster, NAME, script)) as Identity
}
