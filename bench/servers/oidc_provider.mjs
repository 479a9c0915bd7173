// The reference of `npm run bench -- endpoint`: oidc-provider with its in-memory adapter, and the same two profiles of token
// exchange registered on it. The first line of its output is a JSON array of refresh tokens to begin with.
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import Provider from 'oidc-provider'

const { PORT, ALGORITHM, CLUSTER_ISSUER, CLUSTER_JWKS, AUDIENCE, FAMILIES } = process.env
const issuer = `http://127.0.0.1:${PORT}`
const RESOURCE = 'https://docs.example.com'
const SCOPE = 'read:documents'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
const jwk = { ...(await exportJWK(privateKey)), alg: ALGORITHM, use: 'sig', kid: 'bench' }
const publicKeys = createLocalJWKSet({
  keys: [
    {
      ...jwk,
      d: undefined,
      p: undefined,
      q: undefined,
      dp: undefined,
      dq: undefined,
      qi: undefined,
    },
  ],
})
const clusterKeys = createLocalJWKSet(JSON.parse(CLUSTER_JWKS))

const provider = new Provider(issuer, {
  jwks: { keys: [jwk] },
  clients: [
    {
      client_id: 'bench',
      client_secret: 'bench-secret',
      grant_types: ['client_credentials', 'authorization_code', 'refresh_token', EXCHANGE],
      redirect_uris: ['https://app.example/callback'],
      id_token_signed_response_alg: ALGORITHM,
      scope: `offline_access ${SCOPE}`,
    },
  ],
  scopes: ['offline_access', SCOPE],
  rotateRefreshToken: true,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPE,
        audience: RESOURCE,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: ALGORITHM } },
      }),
    },
  },
  extraTokenClaims: (_ctx, token) => token.act && { act: token.act },
})

async function verifySubject(token, type) {
  if (type.endsWith(':jwt')) {
    const options = { issuer: CLUSTER_ISSUER, audience: AUDIENCE, algorithms: ['RS256'] }
    return (await jwtVerify(token, clusterKeys, options)).payload
  }
  return (await jwtVerify(token, publicKeys, { issuer, typ: 'at+jwt', algorithms: [ALGORITHM] }))
    .payload
}

provider.registerGrantType(
  EXCHANGE,
  async (ctx) => {
    const { params, client } = ctx.oidc
    const subject = await verifySubject(params.subject_token, params.subject_token_type)
    const actor = params.actor_token && (await verifySubject(params.actor_token, 'access_token'))
    const token = new provider.ClientCredentials({ client, scope: SCOPE })
    token.resourceServer = new provider.ResourceServer(RESOURCE, {
      scope: SCOPE,
      audience: RESOURCE,
      accessTokenTTL: 3600,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: ALGORITHM } },
    })
    if (actor) token.act = { sub: actor.sub, act: subject.act }
    ctx.oidc.entity('ClientCredentials', token)
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: token.expiration,
      scope: SCOPE,
    }
  },
  ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'scope', 'audience'],
)

async function family(index) {
  const accountId = `user-${index}`
  const grant = new provider.Grant({ clientId: 'bench', accountId })
  grant.addOIDCScope('offline_access')
  grant.addResourceScope(RESOURCE, SCOPE)
  const token = new provider.RefreshToken({
    client: await provider.Client.find('bench'),
    accountId,
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: `offline_access ${SCOPE}`,
    resource: RESOURCE,
  })
  return token.save()
}

provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`))
const server = provider.listen(Number(PORT), '127.0.0.1', async () => {
  const tokens = []
  for (let index = 0; index < Number(FAMILIES); index++) tokens.push(await family(index))
  process.stdout.write(`${JSON.stringify(tokens)}\nready\n`)
})
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
