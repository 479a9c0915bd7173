// An MCP client that calls one tool of a server. It holds no secret: its tokens come from the broker beside it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const brokerUrl = process.env.LUMOAUTH_URL ?? 'http://127.0.0.1:9180'
const TIMEOUT_MS = 10_000

/** Gives the transport a token for one MCP server, each time it needs one. The broker keeps it fresh, so nobody else keeps it. */
function tokensFor(resource) {
  return {
    async token() {
      const query = new URLSearchParams({ resource })
      const answer = await fetch(`${brokerUrl}/v1/token?${query}`, {
        headers: { 'Lumo-Broker': 'true' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const body = await answer.json()
      if (!answer.ok) throw new Error(`no token for ${resource}: ${body.error} (${body.code})`)
      return body.access_token
    },
  }
}

/** Every request ends in time, also one whose caller set no limit. */
function timed(url, options = {}) {
  const limit = AbortSignal.timeout(TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  return fetch(url, { ...options, signal })
}

async function whoAmI(serverUrl, resource) {
  const client = new Client({ name: 'example-client', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(serverUrl), {
    authProvider: tokensFor(resource),
    fetch: timed,
  })
  try {
    await client.connect(transport)
    const result = await client.callTool({ name: 'whoami' })
    return result.content.map(({ text }) => text).join('\n')
  } finally {
    await client.close()
  }
}

const [serverUrl = 'http://127.0.0.1:9186/mcp'] = process.argv.slice(2)
try {
  // The server's own URL, as the MCP specification wants it. RESOURCE shows what another one comes to.
  console.log(await whoAmI(serverUrl, process.env.RESOURCE ?? serverUrl))
} catch (error) {
  console.error(`client: ${error.name}: ${error.message}`)
  process.exitCode = 1
}
