import type { FastifyInstance } from 'fastify'
import { isModestJson } from './modest_json.ts'

/** Of one address at a time. API servers ask about pods of some KB, and of MB rarely. */
const MAX_PER_ADDRESS = 8_388_608
/** Of all together. A body is parsed in one go, so of what parsing makes there is one at a time. */
const MAX_IN_ALL = 33_554_432

/** Bodies that are being read would take more than there is room for: HTTP 429. */
export class BodiesFault extends Error {
  readonly statusCode = 429
}

/** A body with more parts than a pod may have: HTTP 400. */
export class ImmodestBody extends Error {
  readonly statusCode = 400
}

/**
 * Bounds what all bodies together may take. A length that is not said counts as the longest. Whoever says a length and sends
 * nothing holds its room until the request times out, which is why each address has a share.
 */
export function boundBodies(app: FastifyInstance, longest: number): void {
  const held = new Map<string, number>()
  let all = 0
  app.addHook('onRequest', (request, reply, done) => {
    const { ip } = request
    const said = Number(request.headers['content-length'] ?? longest)
    const length = Math.min(Number.isSafeInteger(said) ? said : longest, longest)
    const own = held.get(ip) ?? 0
    if (own + length > MAX_PER_ADDRESS || all + length > MAX_IN_ALL) {
      done(new BodiesFault())
      return
    }
    held.set(ip, own + length)
    all += length
    // Also where the connection ends before there is an answer.
    reply.raw.once('close', () => {
      const left = (held.get(ip) ?? 0) - length
      if (left > 0) held.set(ip, left)
      else held.delete(ip)
      all -= length
    })
    done()
  })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer
    if (isModestJson(bytes)) void parse(request, bytes.toString('utf8'), done)
    else done(new ImmodestBody())
  })
}
