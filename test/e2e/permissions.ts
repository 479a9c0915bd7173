import { ofKind, render, type Values } from '../chart/chart.ts'
import { linesOf, thing, type Rule } from '../chart/rules.ts'

/** One request to the API server, as its audit log has it. */
export interface AuditEvent {
  readonly requestURI: string
  readonly verb: string
  /** ISO 8601, in UTC, of always the same length. */
  readonly requestReceivedTimestamp: string
  readonly user: { readonly username: string }
  readonly responseStatus?: { readonly code: number }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource: string
    readonly name?: string
  }
}

/** Every single thing that the roles of the chart allow, as `component: verb what`, in the words of `linesOf`. */
export function allowedBy(values: Values): readonly string[] {
  const manifests = render(values)
  const roles = [...ofKind(manifests, 'Role'), ...ofKind(manifests, 'ClusterRole')]
  return roles.flatMap(({ metadata, rules }) => {
    const component = metadata.labels?.['app.kubernetes.io/component'] ?? ''
    return (rules as readonly Rule[]).flatMap((rule) =>
      linesOf(rule).map((line) => `${component}: ${line}`),
    )
  })
}

/** The same of a request that was made. */
export function usedBy(
  { user, verb, objectRef, requestURI }: AuditEvent,
  fullname: string,
): string {
  const account = user.username.split(':').at(-1) ?? ''
  const component = account.replace(`${fullname}-`, '')
  const what = objectRef
    ? thing(objectRef.apiGroup ?? '', objectRef.resource, objectRef.name ?? '*')
    : requestURI
  return `${component}: ${verb} ${what}`
}

/**
 * The times in which no permission was bound to the accounts of the chart, for it was uninstalled: what still runs then is
 * refused.
 */
export function unboundIn(
  events: readonly AuditEvent[],
  fullname: string,
): readonly { readonly from: string; readonly to: string }[] {
  const changes = events.filter(
    ({ objectRef }) =>
      objectRef?.resource.endsWith('rolebindings') && objectRef.name?.startsWith(`${fullname}-`),
  )
  return changes
    .filter(({ verb }) => verb === 'delete')
    .map(({ objectRef, requestReceivedTimestamp: from }) => {
      const again = changes.find(
        (change) =>
          // Applied by the server, it is made by a patch.
          ['create', 'patch'].includes(change.verb) &&
          change.objectRef?.name === objectRef?.name &&
          change.requestReceivedTimestamp > from,
      )
      return { from, to: again?.requestReceivedTimestamp ?? END }
    })
}

/** After every time of a log. */
const END = '9999'
