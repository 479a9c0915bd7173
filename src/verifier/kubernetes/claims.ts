import { isJsonObject } from '../../platform/strict_json.ts'
import { LEEWAY_SECONDS, RuleBroken, seconds, text, type Claims } from '../claims.ts'
import type { KubernetesWorkload, ObjectReference } from '../identity.ts'

export interface BindingRules {
  readonly requirePod: boolean
  /** Only tokens of pods on this node. */
  readonly node: string | undefined
}

type Bound = Pick<KubernetesWorkload, 'namespace' | 'serviceAccount' | 'pod' | 'node'>

/** Of pkg/serviceaccount/claims.go. A binding that is not listed here means something that we do not know. */
const knownMembers = new Set(['namespace', 'serviceaccount', 'pod', 'node', 'secret', 'warnafter'])
const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const dnsSubdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/**
 * What a service-account token says of its workload. A token of a Secret (the legacy kind) has none of it and is refused.
 * `now` in Unix seconds.
 * @throws RuleBroken
 */
export function kubernetesClaims(
  claims: Claims,
  rules: BindingRules,
  now: number,
): Bound & { readonly kind: 'kubernetes'; readonly subject: string } {
  // One member whose name has a dot in it, not a path.
  const bound = claims['kubernetes.io']
  if (bound === undefined) throw new RuleBroken('claim_missing', 'kubernetes.io is missing')
  if (!isJsonObject(bound)) throw new RuleBroken('claim_malformed', 'kubernetes.io is no object')
  if (Object.keys(bound).some((member) => !knownMembers.has(member))) {
    throw new RuleBroken('binding_unknown', 'the token is bound to something unknown')
  }
  const namespace = text(bound, 'namespace')
  if (!dnsLabel.test(namespace)) {
    throw new RuleBroken('claim_malformed', 'namespace is no DNS label')
  }
  const serviceAccount = reference(bound, 'serviceaccount')
  const subject = text(claims, 'sub')
  if (subject !== `system:serviceaccount:${namespace}:${serviceAccount.name}`) {
    throw new RuleBroken('subject_mismatch', 'sub and kubernetes.io name different accounts')
  }
  const pod = bound['pod'] === undefined ? undefined : reference(bound, 'pod')
  const node = bound['node'] === undefined ? undefined : nodeReference(bound)
  if (bound['secret'] !== undefined) {
    reference(bound, 'secret')
    if (pod ?? node) throw new RuleBroken('binding_unknown', 'bound to a secret and to more')
  }
  checkWarnAfter(bound, now)
  if (rules.requirePod && !pod) throw new RuleBroken('not_pod_bound', 'bound to no pod')
  if (rules.node !== undefined && node?.name !== rules.node) {
    throw new RuleBroken('node_mismatch', 'the pod is on another node')
  }
  return { kind: 'kubernetes', subject, namespace, serviceAccount, pod, node }
}

/** Set where the API server stretched the life of a token to a year for old clients: past it, the token is stale. */
function checkWarnAfter(bound: Claims, now: number): void {
  if (bound['warnafter'] !== undefined && seconds(bound, 'warnafter') + LEEWAY_SECONDS <= now) {
    throw new RuleBroken('expired', 'warnafter has passed')
  }
}

function nodeReference(bound: Claims): KubernetesWorkload['node'] {
  const node = bound['node']
  if (!isJsonObject(node)) throw new RuleBroken('claim_malformed', 'node is no object')
  return { name: objectName(node), uid: node['uid'] === undefined ? undefined : uid(node) }
}

function reference(bound: Claims, member: string): ObjectReference {
  const value = bound[member]
  if (value === undefined) throw new RuleBroken('claim_missing', `${member} is missing`)
  if (!isJsonObject(value)) throw new RuleBroken('claim_malformed', `${member} is no object`)
  return { name: objectName(value), uid: uid(value) }
}

function objectName(object: Claims): string {
  const name = text(object, 'name')
  if (!dnsSubdomain.test(name)) throw new RuleBroken('claim_malformed', 'a name is no DNS name')
  return name
}

function uid(object: Claims): string {
  const value = text(object, 'uid')
  if (value.length > 64) throw new RuleBroken('claim_malformed', 'a uid is too long')
  return value
}
