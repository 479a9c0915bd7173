const PREFIX = '/v1/authorization/'

/**
 * The name in a target, whatever stands behind it: Envoy puts the path and query of its client there. They are read for
 * nothing, and nothing is decoded: of the client's own path not one byte comes before the name ends.
 */
export function routeNameOf(target: string): string | undefined {
  return target.startsWith(PREFIX)
    ? /^[a-z0-9-]{1,63}(?=[/?]|$)/.exec(target.slice(PREFIX.length, PREFIX.length + 64))?.[0]
    : undefined
}
