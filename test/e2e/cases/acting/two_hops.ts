import assert from 'node:assert/strict'
import {
  agentCode,
  agentOf,
  agentsReady,
  API_URL,
  asAgent,
  beginApi,
  CHART_ISSUER,
  endAgents,
  personOfOrchestrator,
} from '../../acting.ts'
import { CHART_DEMO, stays } from '../../chart.ts'
import { AUDIENCE } from '../../documents_api.ts'
import type { Case } from '../../world.ts'

/** Whoever calls it shows a token, on whose behalf it asks the API. */
const specialist = `${agentCode}
require('node:http').createServer(async (request, response) => {
  const token = (request.headers.authorization ?? '').slice('Bearer '.length)
  const { body } = await broker('/v1/exchange', { ...shown(token), audience: '${AUDIENCE}', scope: 'read:documents' })
  const { access_token: own, sub, actor_chain } = body
  const seen = own ? await call('${API_URL}/documents/7', own) : body
  response.end(JSON.stringify({ told: { sub, actor_chain }, seen }))
}).listen(8080)`

/** Acts for a user within a session, by way of the specialist. Shows the API the token that it got for that, too. */
const orchestrate = (token: string): string => `
(async () => {
  const { body: { session } } = await broker('/v1/sessions', shown(${JSON.stringify(token)}))
  const { body } = await broker('/v1/exchange', { session, audience: 'specialist', scope: 'read:documents' })
  const { access_token: own, sub, actor_chain } = body
  print({
    told: { sub, actor_chain },
    atSpecialist: await call('http://specialist.${CHART_DEMO}.svc:8080/', own),
    atApi: await call('${API_URL}/documents/7', own),
  })
})()`

const actor = (name: string) => ({ sub: `agent:${name}`, iss: CHART_ISSUER, client_id: name })

/** A user's agent has another one do something for them: the API sees for whom, and by whom, in their order. */
export const twoHops: Case = {
  name: 'two hops',
  begin: ({ cluster }) => beginApi(cluster),
  async run({ cluster }) {
    await cluster.apply(
      ...agentOf('orchestrator', { script: stays }),
      ...agentOf('specialist', { script: specialist, port: 8080 }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'specialist', namespace: CHART_DEMO },
        spec: { selector: { app: 'specialist' }, ports: [{ port: 8080 }] },
      },
    )
    const { sub, token } = await personOfOrchestrator(cluster, 'alice')
    await agentsReady(cluster, 'orchestrator', 'specialist')
    assert.deepEqual(await asAgent(cluster, 'orchestrator', orchestrate(token)), {
      told: { sub, actor_chain: ['agent:orchestrator'] },
      atSpecialist: {
        status: 200,
        body: {
          told: { sub, actor_chain: ['agent:orchestrator', 'agent:specialist'] },
          seen: {
            status: 200,
            body: {
              path: '/documents/7',
              aud: AUDIENCE,
              sub,
              scope: 'read:documents',
              // RFC 8693 section 4.1: the current actor outermost.
              act: { ...actor('specialist'), act: actor('orchestrator') },
            },
          },
        },
      },
      // It was made for the specialist alone.
      atApi: { status: 401, body: {} },
    })
    await endAgents(cluster, 'orchestrator', 'specialist')
  },
}
