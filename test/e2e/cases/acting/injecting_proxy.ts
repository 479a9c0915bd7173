import assert from 'node:assert/strict'
import { agentOf, agentsReady, apiReady, API_URL, asAgent, beginApi } from '../../acting.ts'
import { stays } from '../../chart.ts'
import { AUDIENCE } from '../../documents_api.ts'
import type { Case } from '../../world.ts'

const routes = [
  {
    name: 'docs',
    upstream: API_URL,
    // Within the cluster, and in a test.
    allowPlainHttp: true,
    audience: AUDIENCE,
    scopes: ['read:documents'],
    methods: ['GET'],
    paths: ['/documents/**'],
  },
]

interface Refused {
  readonly target: string
  readonly method?: string
  readonly unguarded?: boolean
  readonly outcome: readonly [status: number, code: string]
}

const refused: readonly Refused[] = [
  { target: '/docs/accounts/7', outcome: [403, 'proxy_path_not_allowed'] },
  { target: '/docs/documents/..%2faccounts/7', outcome: [400, 'proxy_path_malformed'] },
  { target: '/elsewhere/documents/7', outcome: [404, 'proxy_route_unknown'] },
  { target: '/docs/documents/7', method: 'DELETE', outcome: [405, 'proxy_method_not_allowed'] },
  { target: '/docs/documents/7', unguarded: true, outcome: [403, 'guard_header_missing'] },
]

/** One request through the proxy; all that comes back. */
const ask = (target: string, method = 'GET', unguarded = false): string => `
fetch('http://127.0.0.1:9181${target}', {
  method: '${method}',
  headers: { authorization: 'Bearer of-the-agent-itself', ${unguarded ? '' : "'Lumo-Broker': 'true'"} },
}).then(async (answer) => print({ status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }))`

interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** An agent calls an API in another pod by the proxy of its sidecar: the token arrives there, and the agent never sees one. */
export const injectingProxy: Case = {
  name: 'injecting proxy',
  begin: ({ cluster }) => beginApi(cluster),
  async run({ cluster }) {
    const annotations = { 'lumoauth.dev/proxy-routes': JSON.stringify(routes) }
    await cluster.apply(...agentOf('reader', { script: stays, annotations }))
    await apiReady(cluster)
    await agentsReady(cluster, 'reader')
    const through = async (...wish: Parameters<typeof ask>): Promise<Seen> =>
      (await asAgent(cluster, 'reader', ask(...wish))) as Seen
    const seen = await through('/docs/documents/7?page=2')
    assert.equal(seen.status, 200, seen.text)
    assert.deepEqual(JSON.parse(seen.text), {
      path: '/documents/7?page=2',
      aud: AUDIENCE,
      sub: 'agent:reader',
      scope: 'read:documents',
    })
    assert.ok(!JSON.stringify(seen).includes('eyJ'), 'the agent sees no token')
    for (const { target, method, unguarded, outcome } of refused) {
      const { status, headers } = await through(target, method, unguarded)
      assert.deepEqual([status, headers['lumo-error']], outcome, `${method ?? 'GET'} ${target}`)
    }
  },
}
