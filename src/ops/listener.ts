import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { PrometheusMetrics } from './metrics.ts'

/** What the probes ask. */
export interface Probes {
  /** Listening, with a valid configuration. Says nothing of tokens: it would take every pod out of service in an outage. */
  ready(): boolean
  /** The gate that the kubelet waits for: in a sidecar, the first token. */
  started(): boolean
}

/**
 * Metrics, probes, and what the process serves. It can be reached from the network, for the kubelet probes the pod's address;
 * no token is served here. `openapi` writes the description as JSON; it is not asked before somebody asks for it, for few ever do.
 */
export function operationsListener(
  metrics: PrometheusMetrics,
  probes: Probes,
  openapi: () => Promise<string>,
): FastifyInstance {
  const badRequest = (reply: FastifyReply): FastifyReply => reply.code(400).send('bad request\n')
  const describe = writtenOnce(openapi, () => probes.ready())
  const app = Fastify({
    bodyLimit: 1,
    frameworkErrors: (_error, _request, reply) => {
      void badRequest(reply)
    },
  })
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  )
  app.get('/openapi.json', async (_request, reply) => {
    // Our own fault, which the handler of errors would call the caller's.
    const text = await describe().catch(() => undefined)
    if (text === undefined) return reply.code(500).send('not available\n')
    return reply.header('content-type', 'application/json').send(text)
  })
  const probe = (url: string, holds: () => boolean): void => {
    app.get(url, (_request, reply) => {
      const good = holds()
      return reply.code(good ? 200 : 503).send(good ? 'ok\n' : 'not yet\n')
    })
  }
  probe('/healthz', () => true)
  probe('/readyz', () => probes.ready())
  probe('/startupz', () => probes.started())
  app.addHook('onRequest', (request, reply, done) => {
    if (request.method === 'GET' || request.method === 'HEAD') done()
    else void reply.code(405).header('allow', 'GET, HEAD').send('only GET and HEAD\n')
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('there is nothing here\n'))
  app.setErrorHandler((_error, _request, reply) => badRequest(reply))
  return app
}

/**
 * Asks `write` once and keeps the text: it takes some 20 ms of the process, and anybody on the network could have them spent
 * again and again. Before `isFinal` a role may lack its addresses, so that text is given and not kept; neither is a failure.
 */
function writtenOnce(write: () => Promise<string>, isFinal: () => boolean): () => Promise<string> {
  let kept: Promise<string> | undefined
  return () => {
    if (kept) return kept
    const writing = write()
    if (isFinal()) {
      kept = writing
      writing.catch(() => {
        kept = undefined
      })
    }
    return writing
  }
}
