import { ofKind, render, type Values } from '../chart/chart.ts'

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

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly verbs: readonly string[]
}

/** Every single thing that the roles of the chart allow, as `component: verb what`. */
export function allowedBy(values: Values): readonly string[] {
  const manifests = render(values)
  const roles = [...ofKind(manifests, 'Role'), ...ofKind(manifests, 'ClusterRole')]
  return roles.flatMap(({ metadata, rules }) => {
    const component = metadata.labels?.['app.kubernetes.io/component'] ?? ''
    return (rules as readonly Rule[]).flatMap((rule) =>
      rule.verbs.flatMap((verb) => things(rule).map((each) => `${component}: ${verb} ${each}`)),
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
    ? thing(objectRef.apiGroup, objectRef.resource, objectRef.name)
    : requestURI
  return `${component}: ${verb} ${what}`
}

function things({ apiGroups, resources, resourceNames, nonResourceURLs }: Rule): readonly string[] {
  const named = (apiGroups ?? []).flatMap((group) =>
    (resources ?? []).flatMap((resource) =>
      (resourceNames ?? [undefined]).map((name) => thing(group, resource, name)),
    ),
  )
  return [...named, ...(nonResourceURLs ?? [])]
}

function thing(group: string | undefined, resource: string, name: string | undefined): string {
  return [group ?? '', resource, name].filter(Boolean).join('/')
}
