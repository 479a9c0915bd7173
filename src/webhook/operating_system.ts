import { isJsonObject } from '../platform/strict_json.ts'
import type { Pod } from './pod.ts'

const OS = 'kubernetes.io/os'

/** Whether a pod can run on Windows only: it says so, or its node selector or required node affinity leaves nothing else. */
export function isBoundToWindows({ os, nodeSelector, affinity }: Pod['spec']): boolean {
  return os?.name === 'windows' || nodeSelector?.[OS] === 'windows' || isAffine(affinity)
}

/** Terms are alternatives, the expressions of one term hold together. */
function isAffine(affinity: unknown): boolean {
  const node = member(affinity, 'nodeAffinity')
  const terms = member(
    member(node, 'requiredDuringSchedulingIgnoredDuringExecution'),
    'nodeSelectorTerms',
  )
  return Array.isArray(terms) && terms.length > 0 && terms.every(namesWindows)
}

function namesWindows(term: unknown): boolean {
  const expressions = member(term, 'matchExpressions')
  return (
    Array.isArray(expressions) &&
    expressions.some((each) => {
      const values = member(each, 'values')
      return (
        member(each, 'key') === OS &&
        member(each, 'operator') === 'In' &&
        Array.isArray(values) &&
        values.every((value) => value === 'windows')
      )
    })
  )
}

function member(value: unknown, name: string): unknown {
  return isJsonObject(value) ? value[name] : undefined
}
