import Type from 'typebox'
import type { ApiAnswers, ApiOperation } from '../../platform/api.ts'
import { forwardedPaths } from '../routes/forward.ts'
import type { Refusals } from './errors.ts'
import { nameOf, pathParameters, templateOf } from './paths.ts'

/** The authority's other paths that clients reach by the same base URL. They go on with the caller's own `Authorization`. */
export function forwardedOperations(refusalsAt: Refusals): readonly ApiOperation[] {
  const answers = answersOf(refusalsAt('forwarded'))
  return forwardedPaths.flatMap(({ path: route, methods }) =>
    methods.map((name) => {
      const path = templateOf(route)
      const method = name === 'GET' ? 'get' : 'post'
      return {
        id: `${method}Forwarded${nameOf(route)}`,
        method,
        path,
        summary: 'Forwarded to the authority',
        description:
          "The request goes on with the caller's own `Authorization`, which has to be there, and with nothing added.",
        security: [['forwardedToken'], ['clientSecret']],
        parameters: pathParameters(path),
        ...(method === 'post' && {
          body: {
            description: 'As the authority takes it.',
            required: false,
            content: { '*/*': Type.Unknown() },
          },
        }),
        answers,
      }
    }),
  )
}

/** The broker's own refusals look alike everywhere; where the authority answers with the same status, the body is its own. */
function answersOf(own: ApiAnswers): ApiAnswers {
  const shared = Object.entries(own).map(([status, { description, headers, content }]) => [
    status,
    {
      description: `${description}\n\nOr the authority's own answer, as it is.`,
      headers: { ...headers, ...passedHeaders() },
      content: {
        'application/json': Type.Union([...Object.values(content), Type.Unknown()]),
        '*/*': Type.Unknown(),
      },
    },
  ])
  return {
    ...(Object.fromEntries(shared) as ApiAnswers),
    default: {
      description: "The authority's own answer, as it is.",
      headers: passedHeaders(),
      content: { '*/*': Type.Unknown() },
    },
  }
}

/** What of the authority's headers goes on, and what is added to it. */
function passedHeaders() {
  const text = (description: string) => ({ description, schema: Type.String() })
  return {
    'Cache-Control': {
      description: 'Nothing of this may be stored.',
      schema: Type.Literal('no-store'),
    },
    'X-Content-Type-Options': {
      description: 'It is what it says it is, and no page.',
      schema: Type.Literal('nosniff'),
    },
    'WWW-Authenticate': text('How a caller proves itself.'),
    'Retry-After': text('When it is worth while to ask again.'),
  }
}
