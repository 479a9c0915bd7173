// An MCP server with one tool. It takes tokens that were made for this very server, and no other.
import { createServer } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  requireBearerAuth,
} from '@modelcontextprotocol/server'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const issuer = process.env.ISSUER ?? 'http://127.0.0.1:9170/t/acme-corp/api/v1'
const port = Number(process.env.PORT ?? 9186)
const resource = `http://127.0.0.1:${port}/mcp`
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
  timeoutDuration: 5_000,
})

async function verifyAccessToken(token) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: resource,
      typ: 'at+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'sub'],
    })
    if (payload.cnf) throw new errors.JWTInvalid('the token is bound to a key')
    return {
      token,
      clientId: payload.client_id,
      scopes: payload.scope?.split(' ') ?? [],
      expiresAt: payload.exp,
      resource: new URL(resource),
    }
  } catch (error) {
    // Keys that cannot be had say nothing about the token.
    if (!(error instanceof errors.JOSEError) || error.code === 'ERR_JWKS_TIMEOUT') throw error
    throw new OAuthError(OAuthErrorCode.InvalidToken, 'This is no token for this server.')
  }
}

function toolsFor() {
  const server = new McpServer({ name: 'example-server', version: '1.0.0' })
  const description = 'Tells who calls, by the token of the call.'
  server.registerTool('whoami', { description }, ({ http }) => ({
    content: [{ type: 'text', text: `${http.authInfo.clientId} at ${resource}` }],
  }))
  return server
}

const gate = requireBearerAuth({
  verifier: { verifyAccessToken },
  requiredScopes: ['call:tools'],
  expectedResource: new URL(resource),
})
const handler = createMcpHandler(toolsFor)
const guarded = {
  async fetch(request) {
    const refused = hostHeaderValidationResponse(request, localhostAllowedHostnames())
    if (refused) return refused
    const authInfo = await gate(request)
    return authInfo instanceof Response ? authInfo : handler.fetch(request, { authInfo })
  },
}

const listener = toNodeHandler(guarded)
const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
  void listener(request, response)
})
server.on('error', ({ code, message }) => {
  const hint = code === 'EADDRINUSE' ? `: end what has port ${port}, or set PORT` : ''
  console.error(`the MCP server: ${message}${hint}`)
  process.exitCode = 1
})
server.listen(port, '127.0.0.1', () => console.log(`the MCP server listens at ${resource}`))
