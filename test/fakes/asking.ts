import { HttpFailure, type HttpAnswer, type HttpRequest } from '../../src/platform/http_client.ts'

/** A request with ample time and little room, but for the changes. */
export function requestTo(url: string, changes: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url: new URL(url),
    connectTimeoutMs: 5_000,
    totalTimeoutMs: 10_000,
    maxBytes: 1_000,
    ...changes,
  }
}

/** The answer's status and body, or the code and message of the failure. */
export async function outcomeOf(asked: Promise<HttpAnswer>): Promise<readonly unknown[]> {
  return asked.then(
    ({ status, body }) => [status, body],
    (error: unknown) => (error instanceof HttpFailure ? [error.code, error.message] : [error]),
  )
}
