import assert from 'node:assert/strict'
import {
  agentCode,
  agentOf,
  agentsReady,
  asAgent,
  beginApi,
  endAgents,
  personOfOrchestrator,
} from '../../acting.ts'
import { logOf } from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { AUDIENCE } from '../../documents_api.ts'
import { operate } from '../../people.ts'
import { until, type Case } from '../../world.ts'

const NAME = 'loops'
const TOKEN_FILE = '/tmp/user-token'
const BOUND_SECONDS = 30
/** The bound, what is waited for after it, and the time that looking takes. */
const PATIENCE_SECONDS = 60
/** Five seconds: whoever was refused once could be served again. */
const REFUSED_IN_A_ROW = 10

/** Acts within one session for whoever's token it is given, twice a second for ever, and prints what each call brought. */
const loop = `${agentCode}
const { existsSync, readFileSync } = require('node:fs')
let session
const act = async () => {
  session ??= broker('/v1/sessions', shown(readFileSync('${TOKEN_FILE}', 'utf8')))
  const within = (await session).body.session
  const { status, body } = await broker('/v1/exchange', { session: within, audience: '${AUDIENCE}' })
  print({ at: Date.now(), status, code: body.code })
}
setInterval(() => {
  if (existsSync('${TOKEN_FILE}')) act().catch(({ message }) => print({ at: Date.now(), status: 0, code: message }))
}, 500)`

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

/** All calls, once the last of them were refused for good, and not for an outage. */
async function refused(cluster: Cluster): Promise<readonly Call[] | undefined> {
  const calls = await callsOf(cluster)
  const last = calls.slice(-REFUSED_IN_A_ROW)
  const isOver = last.every(({ code }) => code === 'exchange_refused')
  return isOver && last.length === REFUSED_IN_A_ROW ? calls : undefined
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
    const { sub, token } = await personOfOrchestrator(cluster, 'bob')
    await agentsReady(cluster, NAME)
    const give = `require('node:fs').writeFileSync('${TOKEN_FILE}', ${JSON.stringify(token)}); print({})`
    await asAgent(cluster, NAME, give)
    await until('the agent to act', async () => {
      const calls = await callsOf(cluster)
      return calls.at(-1)?.status === 200 || undefined
    })
    await operate(cluster, 'revoke', '--user', sub)
    const revokedAt = Date.now()
    const calls = await until('the agent to be refused', () => refused(cluster), PATIENCE_SECONDS)
    const { at: lastAt } = calls.findLast(({ status }) => status === 200) ?? { at: revokedAt }
    const seconds = (lastAt - revokedAt) / 1000
    process.stdout.write(`       served for ${seconds.toFixed(1)} s after lumo-broker revoke\n`)
    assert.ok(seconds <= BOUND_SECONDS, `within ${String(BOUND_SECONDS)} s`)
    assert.deepEqual(await asAgent(cluster, NAME, tryAgain(token)), {
      alone: 'exchange_refused',
      within: 'exchange_refused',
      own: 200,
    })
    await endAgents(cluster, NAME)
  },
}
