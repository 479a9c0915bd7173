import assert from 'node:assert/strict'
import {
  agentOf,
  agentsReady,
  apiReady,
  API_URL,
  asAgent,
  beginApi,
  endAgents,
} from '../../acting.ts'
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

interface Asked {
  readonly target: string
  readonly method?: string
  readonly unguarded?: boolean
}

const good: Asked = { target: '/docs/documents/7?page=2' }
const refused: readonly (Asked & { readonly outcome: readonly [number, string] })[] = [
  { target: '/docs/accounts/7', outcome: [403, 'proxy_path_not_allowed'] },
  { target: '/docs/documents/..%2faccounts/7', outcome: [400, 'proxy_path_malformed'] },
  { target: '/elsewhere/documents/7', outcome: [404, 'proxy_route_unknown'] },
  { target: '/docs/documents/7', method: 'DELETE', outcome: [405, 'proxy_method_not_allowed'] },
  { target: '/docs/documents/7', unguarded: true, outcome: [403, 'guard_header_missing'] },
]

/** Asks the proxy of its pod; all that comes back. */
const ask = (all: readonly Asked[]): string => `
const ask = async ({ target, method = 'GET', unguarded = false }) => {
  const guard = unguarded ? {} : { 'Lumo-Broker': 'true' }
  const headers = { ...guard, authorization: 'Bearer of-the-agent-itself' }
  const answer = await fetch('http://127.0.0.1:9181' + target, { method, headers })
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }
}
Promise.all(${JSON.stringify(all)}.map(ask)).then(print)`

interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** An agent calls an API in another pod by the proxy of its sidecar: a token arrives there, and the agent never sees one. */
export const injectingProxy: Case = {
  name: 'injecting proxy',
  begin: ({ cluster }) => beginApi(cluster),
  async run({ cluster }) {
    const annotations = { 'lumoauth.dev/proxy-routes': JSON.stringify(routes) }
    await cluster.apply(...agentOf('reader', { script: stays, annotations }))
    await apiReady(cluster)
    await agentsReady(cluster, 'reader')
    const asked = ask([good, ...refused])
    const seen = (await asAgent(cluster, 'reader', asked)) as readonly Seen[]
    const [passed, ...others] = seen
    assert.equal(passed?.status, 200, passed?.text ?? 'no answer')
    assert.deepEqual(JSON.parse(passed?.text ?? ''), {
      path: '/documents/7?page=2',
      aud: AUDIENCE,
      sub: 'agent:reader',
      scope: 'read:documents',
    })
    assert.deepEqual(
      others.map(({ status, headers }) => [status, headers['lumo-error']]),
      refused.map(({ outcome }) => outcome),
    )
    assert.ok(!JSON.stringify(seen).includes('eyJ'), 'the agent sees no token')
    await endAgents(cluster, 'reader')
  },
}
