import type { InjectionConfig } from '../../src/config/webhook.ts'
import type { Operation } from '../../src/webhook/patch.ts'
import { selfSigned } from '../fakes/self_signed.ts'

export const injection: InjectionConfig = {
  authority: { url: 'https://auth.example', tenant: 'acme-corp' },
  proofAudience: 'https://auth.example/t/acme-corp/api/v1#prod',
  sidecar: {
    image: 'registry.example/lumo-broker:1.0.0',
    imagePullPolicy: 'IfNotPresent',
    imagePullSecrets: ['pull'],
    resources: { requests: { cpu: '5m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    logLevel: 'info',
  },
  meshProxies: ['istio-proxy'],
  nodeBroker: { url: 'https://lumo-node.lumo-system.svc:9180' },
  defaultMode: 'sidecar',
}

export const { cert: caBundle } = await selfSigned({ name: 'ca' })

type Json = Readonly<Record<string, unknown>>

export interface PodParts {
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly labels?: Readonly<Record<string, string>>
  readonly containers?: readonly Json[]
  readonly spec?: Json
}

export const labelled = { 'lumoauth.dev/inject': 'true' }

export function podWith({ annotations, labels = labelled, containers, spec = {} }: PodParts = {}) {
  return {
    metadata: { name: 'a', labels, ...(annotations && { annotations }) },
    spec: { containers: containers ?? [{ name: 'app', image: 'app' }], ...spec },
  }
}

export function reviewOf(object: unknown, changes: Json = {}): Json {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation: 'CREATE',
      resource: { group: '', version: 'v1', resource: 'pods' },
      object,
      ...changes,
    },
  }
}

/** What the API server makes of a patch (RFC 6902 sections 4.1, 4.2 and 4.4), for the operations that there are. */
export function patched(object: unknown, operations: readonly Operation[]): unknown {
  const result = structuredClone(object)
  for (const operation of operations) {
    const { op, path } = operation
    const segments = path
      .split('/')
      .slice(1)
      .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = segments.pop() ?? ''
    let target = result as Record<string, unknown>
    for (const segment of segments) target = target[segment] as Record<string, unknown>
    if (op === 'remove') {
      if (!(last in target)) throw new Error(`${path} is not there`)
      Reflect.deleteProperty(target, last)
      continue
    }
    const value = op === 'move' ? takenOut(result, operation.from) : operation.value
    // The target must be there: a patch makes no path.
    if (typeof target !== 'object') throw new Error(`${path} leads nowhere`)
    if (Array.isArray(target)) {
      const at = last === '-' ? target.length : Number(last)
      if (!(at >= 0 && at <= target.length)) throw new Error(`${path} is outside of the list`)
      target.splice(at, 0, value)
    } else target[last] = value
  }
  return result
}

/** The member of a list at a path, which is gone from there. */
function takenOut(object: unknown, path: string): unknown {
  const segments = path.split('/').slice(1)
  const index = Number(segments.pop())
  let list = object as Record<string, unknown>
  for (const segment of segments) list = list[segment] as Record<string, unknown>
  if (!Array.isArray(list) || !(index in list)) throw new Error(`${path} is not there`)
  return list.splice(index, 1)[0]
}
