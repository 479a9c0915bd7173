// The second agent: whoever calls it shows a token, on whose behalf it asks the documents server.
import { createServer } from 'node:http'
import { Refused, tokenForCaller } from './broker.mjs'
import { ask, Unanswered } from './web.mjs'

const port = Number(process.env.PORT ?? 9185)
const name = 'specialist'
const documents = 'https://docs.example.com'
const documentsUrl = process.env.DOCUMENTS_URL ?? 'http://127.0.0.1:9173'

async function answerTo({ url, headers }) {
  if (url !== '/summary') return { status: 404, body: { error: 'not_found' } }
  const [, token = ''] = /^Bearer ([^ ]+)$/i.exec(headers.authorization ?? '') ?? []
  if (!isForMe(token)) return { status: 401, body: { error: 'invalid_token' } }
  try {
    const own = await tokenForCaller(token, documents, 'read:documents')
    return await ask(`${documentsUrl}/documents`, { headers: { Authorization: `Bearer ${own}` } })
  } catch (error) {
    if (error instanceof Refused) {
      return { status: 403, body: { error: 'access_denied', code: error.code } }
    }
    if (error instanceof Unanswered) {
      return { status: 503, body: { error: 'temporarily_unavailable' } }
    }
    throw error
  }
}

/** Sends away what was made for somebody else. The exchange verifies the signature; until then nothing is done with it. */
function isForMe(token) {
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'))
    return [aud].flat().join() === name
  } catch {
    return false
  }
}

const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
  void answerTo(request).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
})
server.on('error', ({ code, message }) => {
  const hint = code === 'EADDRINUSE' ? `: end what has port ${port}, or set PORT` : ''
  console.error(`specialist: ${message}${hint}`)
  process.exitCode = 1
})
server.listen(port, '127.0.0.1', () => console.log(`specialist listens on 127.0.0.1:${port}`))
