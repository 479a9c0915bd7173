import assert from 'node:assert/strict'
import { ISSUER } from '../authority.ts'
import { AUDIENCE, documentsApi } from '../documents_api.ts'
import { DEMO, inApp, tokenIn, untilReady } from '../pods.ts'
import type { Case } from '../world.ts'

const NAME = 'docs-api'

/** A token opens an API in another pod that knows the issuer's URL and its CA, and nothing else. */
export const resourceServer: Case = {
  name: 'resource server',
  async begin({ cluster }) {
    const wish = { name: NAME, issuer: ISSUER, ca: 'lumo-authority-ca' }
    await cluster.apply(...(await documentsApi(wish)))
  },
  async run({ cluster }) {
    await untilReady(cluster, NAME)
    const call = (authorization: string) =>
      inApp(
        cluster,
        'hello-agent',
        `fetch('http://${NAME}.${DEMO}.svc:8080/', { headers: { authorization: ${JSON.stringify(authorization)} } }).then(async (r) => console.log(JSON.stringify({ status: r.status, body: await r.json() })))`,
      )
    const good = (await tokenIn(cluster, 'hello-agent', `?audience=${AUDIENCE}`)).access_token
    const elsewhere = (await tokenIn(cluster, 'hello-agent')).access_token
    assert.deepEqual(await call(`Bearer ${good}`), {
      status: 200,
      body: { path: '/', aud: AUDIENCE, sub: 'agent:hello-agent', scope: 'read:documents' },
    })
    const refused = { status: 401, body: {} }
    assert.deepEqual(await call(`Bearer ${elsewhere}`), refused, 'made for another audience')
    assert.deepEqual(await call(`Bearer ${good.slice(0, -6)}AAAAAA`), refused, 'another signature')
    assert.deepEqual(await call('Bearer '), refused, 'no token')
  },
}
