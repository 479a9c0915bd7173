import assert from 'node:assert/strict'
import { AUTHORITY_POD, jwksOf, SYSTEM, untilAuthorityReady } from '../authority.ts'
import { agentPod, callerLoop, DEMO, tokenIn, untilReady } from '../pods.ts'
import { until, type Case } from '../world.ts'

const NAME = 'through-restart'

/** The authority goes and comes back under a loop of callers that have a token: none fails, and its key is the same. */
export const authorityRestart: Case = {
  name: 'authority restart',
  async begin({ cluster }) {
    await cluster.apply(await agentPod(NAME, { script: callerLoop }))
    await untilReady(cluster, NAME)
  },
  async run({ cluster }) {
    const keysBefore = await jwksOf(cluster)
    const callsBefore = await calls(cluster)
    await cluster.kubectl('-n', SYSTEM, 'delete', 'pod', AUTHORITY_POD, '--wait=true')
    await untilAuthorityReady(cluster)
    assert.deepEqual(await jwksOf(cluster), keysBefore)
    // An exchange works again, for a target that is in no cache.
    await until('an exchange after the restart', async () => {
      const body = await tokenIn(cluster, NAME, '?audience=https://docs.example.com')
      return typeof body.access_token === 'string' ? body : undefined
    })
    await until('calls after the restart', async () =>
      (await calls(cluster)) > callsBefore ? true : undefined,
    )
    assert.deepEqual((await appLog(cluster)).match(/^FAILED.*$/gm), null)
  },
}

async function calls(cluster: Parameters<typeof tokenIn>[0]): Promise<number> {
  return Number(
    (await appLog(cluster))
      .match(/^calls (\d+)$/gm)
      ?.at(-1)
      ?.slice('calls '.length) ?? 0,
  )
}

function appLog(cluster: Parameters<typeof tokenIn>[0]): Promise<string> {
  return cluster.kubectl('-n', DEMO, 'logs', NAME, '-c', 'app')
}
