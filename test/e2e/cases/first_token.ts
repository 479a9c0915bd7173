import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { authorityDocument, ISSUER, jwksOf } from '../authority.ts'
import { tokenIn, type TokenBody } from '../pods.ts'
import type { Case } from '../world.ts'

/** The commands of docs/by-hand.md print a token; so does plain fetch in the application; a library that is not ours verifies both. */
export const firstToken: Case = {
  name: 'first token',
  async run({ cluster, byHand }) {
    const printed = JSON.parse(byHand.trim().split('\n').at(-1) ?? '') as TokenBody
    const fetched = await tokenIn(cluster, 'hello-agent')
    const jwks = await jwksOf(cluster)
    const server = (await authorityDocument(
      cluster,
      '/t/acme-corp/api/v1/.well-known/openid-configuration',
    )) as oauth.AuthorizationServer
    assert.equal(server.issuer, ISSUER)
    for (const { access_token: token } of [printed, fetched]) {
      const request = new Request('https://docs.example.com/', {
        headers: { authorization: `Bearer ${token}` },
      })
      const claims = await oauth.validateJwtAccessToken(server, request, 'hello-agent', {
        [oauth.customFetch]: () => Promise.resolve(Response.json(jwks)),
      })
      assert.equal(claims.sub, 'agent:hello-agent')
      assert.equal(claims.client_id, 'hello-agent')
      assert.equal(claims['agent_name'], 'hello-agent')
    }
  },
}
