import assert from 'node:assert/strict'
import {
  agentCode,
  agentOf,
  agentsReady,
  asAgent,
  beginApi,
  personOfOrchestrator,
} from '../../acting.ts'
import { CHART_DEMO, logOf } from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { AUDIENCE } from '../../documents_api.ts'
import { operate } from '../../people.ts'
import { until, type Case } from '../../world.ts'

const NAME = 'loops'
const TOKEN_FILE = '/tmp/user-token'
const BOUND_SECONDS = 30
/** Five seconds of them: whoever was refused once could be served again. */
const REFUSED_IN_A_ROW = 20

/** Acts within one session for whoever's token it is given, four times a second for ever, and prints what each call brought. */
const loop = `${agentCode}
const { existsSync, readFileSync } = require('node:fs')
let session
const act = async () => {
  session ??= (await broker('/v1/sessions', shown(readFileSync('${TOKEN_FILE}', 'utf8')))).body.session
  const { status, body } = await broker('/v1/exchange', { session, audience: '${AUDIENCE}' })
  print({ at: Date.now(), status, code: body.code })
}
setInterval(() => {
  if (existsSync('${TOKEN_FILE}')) act().catch(({ message }) => print({ at: Date.now(), status: 0, code: message }))
}, 250)`

interface Call {
  /** By the clock of this machine, which is that of its nodes. */
  readonly at: number
  readonly status: number
  readonly code?: string
}

async function callsOf(cluster: Cluster): Promise<readonly Call[]> {
  const lines = (await logOf(cluster, NAME)).split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Call)
}

/** What the same agent gets with the user's token alone, with another session, and for itself. */
const tryAgain = (token: string): string => `
(async () => {
  const alone = await broker('/v1/exchange', { ...shown(${JSON.stringify(token)}), audience: '${AUDIENCE}' })
  const { body: { session } } = await broker('/v1/sessions', shown(${JSON.stringify(token)}))
  const within = await broker('/v1/exchange', { session, audience: '${AUDIENCE}' })
  print({ alone: alone.body.code, within: within.body.code, own: (await broker('/v1/token')).status })
})()`

/** An operator revokes what a user gave: an agent that acts for them gets no token any more, neither the one it had nor another. */
export const revocation: Case = {
  name: 'revocation',
  begin: ({ cluster }) => beginApi(cluster),
  async run({ cluster }) {
    await cluster.apply(...agentOf(NAME, { script: loop, serviceAccount: 'orchestrator' }))
    const { sub, token } = await personOfOrchestrator(cluster, 'bob@example.com')
    await agentsReady(cluster, NAME)
    const give = `require('node:fs').writeFileSync('${TOKEN_FILE}', ${JSON.stringify(token)}); print({})`
    await asAgent(cluster, NAME, give)
    await until('the agent to act', async () => {
      const calls = await callsOf(cluster)
      return calls.at(-1)?.status === 200 || undefined
    })
    await operate(cluster, 'revoke', '--user', sub)
    const revokedAt = Date.now()
    const calls = await until('the agent to be refused', async () => {
      const seen = await callsOf(cluster)
      const tail = seen.slice(-REFUSED_IN_A_ROW)
      return tail.length === REFUSED_IN_A_ROW && tail[0]?.status !== 200 ? seen : undefined
    })
    const first = calls.findIndex(({ at, status }) => at > revokedAt && status !== 200)
    const outcomes = new Set(
      calls.map(({ status, code }) => `${String(status)} ${code ?? 'served'}`),
    )
    assert.deepEqual([...outcomes], ['200 served', '400 exchange_refused'])
    assert.ok(
      calls.slice(first).every(({ status }) => status !== 200),
      'what was refused once is not served again',
    )
    const seconds = ((calls[first]?.at ?? Infinity) - revokedAt) / 1000
    process.stdout.write(`       refused ${seconds.toFixed(1)} s after lumo-broker revoke\n`)
    assert.ok(seconds <= BOUND_SECONDS, `within ${String(BOUND_SECONDS)} s`)
    assert.deepEqual(await asAgent(cluster, NAME, tryAgain(token)), {
      alone: 'exchange_refused',
      within: 'exchange_refused',
      own: 200,
    })
    await cluster.kubectl('-n', CHART_DEMO, 'delete', 'pod', NAME, '--wait=false')
  },
}
