import { createServer } from 'node:http'
import * as oauth from 'oauth4webapi'

/**
 * An API as a customer would write it: it knows the issuer's URL and its own name, trusts the CA that Node is given
 * (NODE_EXTRA_CA_CERTS), and learns the rest by discovery. Its answer says what was asked for and what the token says.
 */
const issuer = new URL(process.env['ISSUER'] ?? '')
const audience = process.env['AUDIENCE'] ?? ''

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oidc' }),
)

createServer((incoming, answer) => {
  const asked = new Request('http://localhost/', {
    headers: { authorization: incoming.headers.authorization ?? '' },
  })
  oauth.validateJwtAccessToken(server, asked, audience).then(
    (claims) => {
      const { aud, sub, scope, act } = claims
      answer.end(JSON.stringify({ path: incoming.url, aud, sub, scope, act }))
    },
    () => {
      answer.writeHead(401).end('{}')
    },
  )
}).listen(8080)
