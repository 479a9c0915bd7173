import { ofKind, render, type Values } from '../chart/chart.ts'
import { linesOf, thing, type Rule } from '../chart/rules.ts'

/** One request to the API server, as its audit log has it. */
export interface AuditEvent {
  readonly requestURI: string
  readonly verb: string
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
