import { compilePattern, matchesPattern, type Pattern } from '../../platform/pattern.ts'

/** Which workloads a rule means; with neither part every one, Kubernetes or not. */
export interface Selector {
  readonly namespace: Pattern | undefined
  readonly serviceAccount: Pattern | undefined
}

export interface Account {
  readonly namespace: string
  readonly serviceAccount: string
}

export function selectorOf(entry: {
  readonly namespace?: string | undefined
  readonly serviceAccount?: string | undefined
}): Selector {
  const { namespace, serviceAccount } = entry
  return {
    namespace: namespace === undefined ? undefined : compilePattern(namespace),
    serviceAccount: serviceAccount === undefined ? undefined : compilePattern(serviceAccount),
  }
}

/** The service account that a `sub` names, as Kubernetes writes it; undefined for a `sub` of another form. */
export function accountOf(subject: string): Account | undefined {
  const [, namespace, serviceAccount] =
    /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject) ?? []
  return namespace === undefined || serviceAccount === undefined
    ? undefined
    : { namespace, serviceAccount }
}

/** The one account that is meant, where no star and no absent part leaves it open. */
export function fixedAccount({ namespace, serviceAccount }: Selector): Account | undefined {
  const [one, two] = [namespace?.literal, serviceAccount?.literal]
  return one === undefined || two === undefined
    ? undefined
    : { namespace: one, serviceAccount: two }
}

/** A text of its own for each account: neither part can hold a colon. */
export function accountKey({ namespace, serviceAccount }: Account): string {
  return `${namespace}:${serviceAccount}`
}

/** Whether a workload is meant. `account` is undefined for one that is no service account. */
export function selects(selector: Selector, account: Account | undefined): boolean {
  const { namespace, serviceAccount } = selector
  if (!account) return !namespace && !serviceAccount
  return (
    (!namespace || matchesPattern(namespace, account.namespace)) &&
    (!serviceAccount || matchesPattern(serviceAccount, account.serviceAccount))
  )
}

/** Whether the first means every workload that the second means. */
export function covers(one: Selector, two: Selector): boolean {
  if (!two.namespace && !two.serviceAccount) return !one.namespace && !one.serviceAccount
  return (
    coversName(one.namespace, two.namespace) && coversName(one.serviceAccount, two.serviceAccount)
  )
}

/** The star of the second, taken as a character that no name has, is met by nothing but a star of the first. */
function coversName(one: Pattern | undefined, two: Pattern | undefined): boolean {
  return !one || matchesPattern(one, two?.source ?? '*')
}
