import Type, { type TSchema } from 'typebox'
import type { Api, ApiAnswer, ApiOperation } from '../platform/api.ts'

const answer = (description: string, type: string, schema: TSchema = Type.String()): ApiAnswer => ({
  description,
  headers: {},
  content: { [type]: schema },
})

const TEXT = 'text/plain; charset=utf-8'

/** The operations listener, which serves this description as well. */
export function operationsApi(): Api {
  return {
    name: 'operations',
    description:
      'Metrics, probes and this description. Everything is answered to GET and HEAD, and to nobody with a token.',
    servers: ['/'],
    securitySchemes: {},
    schemas: {},
    operations: [
      operation('readMetrics', '/metrics', 'Metrics', {
        200: answer(
          'Metrics in the text format of Prometheus.',
          'text/plain; version=0.0.4; charset=utf-8',
        ),
      }),
      operation('checkHealth', '/healthz', 'Whether the process answers', {
        200: answer('It does.', TEXT, Type.Literal('ok\n')),
      }),
      probe('checkReadiness', '/readyz', 'Whether it listens, with a valid configuration'),
      probe(
        'checkStart',
        '/startupz',
        'Whether it has started: in a sidecar, whether a first token was had',
      ),
      operation('describeApi', '/openapi.json', 'This description', {
        200: answer(
          'An OpenAPI 3.1 document.',
          'application/json',
          Type.Object({}, { description: 'An OpenAPI document.' }),
        ),
        500: answer('It could not be written.', TEXT, Type.Literal('not available\n')),
      }),
    ],
  }
}

function probe(id: string, path: string, summary: string): ApiOperation {
  return operation(id, path, summary, {
    200: answer('Yes.', TEXT, Type.Literal('ok\n')),
    503: answer('Not yet.', TEXT, Type.Literal('not yet\n')),
  })
}

function operation(
  id: string,
  path: string,
  summary: string,
  answers: ApiOperation['answers'],
): ApiOperation {
  return { id, method: 'get', path, summary, security: [], parameters: [], answers }
}
