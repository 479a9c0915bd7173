import Type, { type TSchema } from 'typebox'
import type { ApiAnswer, ApiAnswers, ApiBody, ApiOperation, ApiParameter } from '../platform/api.ts'

/** An operation, and where it is reached. */
export interface PlacedOperation {
  readonly operation: ApiOperation
  readonly servers: readonly string[]
  readonly tags: readonly string[]
}

/**
 * One operation for a path and method that two roles of a process have in common. Which of them is asked depends on the
 * server, and OpenAPI has one operation for both, so it says what either takes and answers.
 */
export function merged(one: PlacedOperation, other: PlacedOperation): PlacedOperation {
  const body = bodyOf(one.operation.body, other.operation.body)
  return {
    servers: [...one.servers, ...other.servers],
    tags: [...one.tags, ...other.tags],
    operation: {
      id: one.operation.id,
      method: one.operation.method,
      path: one.operation.path,
      summary: one.operation.summary,
      description: [one, other].map(paragraph).join('\n\n'),
      security: [...one.operation.security, ...other.operation.security],
      parameters: parametersOf(one.operation.parameters, other.operation.parameters),
      ...(body && { body }),
      answers: answersOf(one, other),
    },
  }
}

function paragraph({ operation, tags }: PlacedOperation): string {
  const { summary, description = summary } = operation
  return `At the ${tags.join(', ')}: ${description}`
}

/** One that only one of them must have is not required of both. */
function parametersOf(
  one: readonly ApiParameter[],
  other: readonly ApiParameter[],
): readonly ApiParameter[] {
  const key = (parameter: ApiParameter) => `${parameter.in} ${parameter.name}`
  const all = new Map([...one, ...other].map((parameter) => [key(parameter), parameter]))
  const inBoth = (parameter: ApiParameter): boolean =>
    [one, other].every((list) => list.some((each) => key(each) === key(parameter)))
  return [...all.values()].map((parameter) => ({
    ...parameter,
    required: parameter.required && inBoth(parameter),
  }))
}

function bodyOf(one: ApiBody | undefined, other: ApiBody | undefined): ApiBody | undefined {
  if (!one || !other) return one ?? other
  return {
    description: one.description,
    required: one.required && other.required,
    content: contentOf(one.content, other.content),
  }
}

function answersOf(one: PlacedOperation, other: PlacedOperation): ApiAnswers {
  const statuses = [one, other].flatMap(({ operation }) => Object.keys(operation.answers))
  return Object.fromEntries(
    [...new Set(statuses)].map((status) => [status, answerOf(status, one, other)]),
  )
}

function answerOf(status: string, one: PlacedOperation, other: PlacedOperation): ApiAnswer {
  const [first, second] = [one, other].map(({ operation }) => operation.answers[status])
  const description = [one, other]
    .flatMap(({ tags, operation }) => {
      const answer = operation.answers[status]
      return answer ? [`At the ${tags.join(', ')}: ${answer.description}`] : []
    })
    .join('\n\n')
  return {
    description,
    headers: { ...second?.headers, ...first?.headers },
    content: contentOf(first?.content ?? {}, second?.content ?? {}),
  }
}

function contentOf(
  one: Readonly<Record<string, TSchema>>,
  other: Readonly<Record<string, TSchema>>,
): Readonly<Record<string, TSchema>> {
  const types = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return Object.fromEntries(
    types.map((type) => [
      type,
      Type.Union([one[type], other[type]].filter((schema) => schema !== undefined)),
    ]),
  )
}
