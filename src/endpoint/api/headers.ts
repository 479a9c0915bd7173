import Type from 'typebox'
import type { ApiHeader } from '../../platform/api.ts'

type Headers = Readonly<Record<string, ApiHeader>>

const text = (description: string): ApiHeader => ({ description, schema: Type.String() })

/** What the answers of the endpoints that take credentials or tokens have in common, and what some have beside it. */
export function answerHeaders({ challenge = false, retryAfter = false } = {}): Headers {
  return {
    'Cache-Control': {
      description: 'Nothing of this may be stored.',
      schema: Type.Literal('no-store'),
    },
    'X-Request-Id': text('Names the request in the log and in the audit trail.'),
    'DPoP-Nonce': text(
      'For the next DPoP proof (RFC 9449 section 8.2); there where the request had a proof.',
    ),
    ...(challenge && {
      'WWW-Authenticate': text(
        'How a caller can prove itself (RFC 6749 section 5.2, RFC 6750 section 3, RFC 9449 section 7.1).',
      ),
    }),
    ...(retryAfter && {
      'Retry-After': {
        description: 'Seconds after which it is worth while to ask again.',
        schema: Type.Integer({ minimum: 0 }),
      },
    }),
    ...fromAnywhere(),
  }
}

/** For programs in a browser. */
export function fromAnywhere(): Headers {
  return {
    'Access-Control-Allow-Origin': {
      description: 'Programs in a browser may read the answer, wherever they come from.',
      schema: Type.Literal('*'),
    },
  }
}
