import type { BrokerError } from '../errors.ts'

/**
 * Whether a token is refused for what the route asks for. Whoever sends requests by the route can do nothing about that, and
 * is not told that the request was at fault. A subject token that is not accepted (`invalid_request`) is theirs.
 */
export function isOfRoute({ code, error }: BrokerError): boolean {
  if (code === 'request_refused') return true
  return code === 'exchange_refused' && error !== 'invalid_request'
}
