/** A rule of a Role or a ClusterRole. */
export interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly verbs: readonly string[]
}

/** Every single thing that a rule allows, as `verb group/resource name`, the name `*` where it is any, or `verb /path`. */
export function linesOf({ verbs, ...rule }: Rule): readonly string[] {
  const { apiGroups = [], resources = [], resourceNames = ['*'], nonResourceURLs = [] } = rule
  const things = apiGroups.flatMap((group) =>
    resources.flatMap((resource) => resourceNames.map((name) => thing(group, resource, name))),
  )
  return verbs.flatMap((verb) => [...things, ...nonResourceURLs].map((each) => `${verb} ${each}`))
}

export function thing(group: string, resource: string, name: string): string {
  return `${group === '' ? '' : `${group}/`}${resource} ${name}`
}
