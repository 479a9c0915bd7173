import type { Manifest } from './chart.ts'

export interface Container {
  readonly name: string
  readonly image: string
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>
    readonly limits?: Readonly<Record<string, string>>
  }
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts?: readonly Readonly<Record<string, unknown>>[]
  readonly securityContext?: Readonly<Record<string, unknown>>
}

export interface PodSpec {
  readonly serviceAccountName?: string
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly hostNetwork?: boolean
  readonly imagePullSecrets?: readonly { readonly name: string }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
}

export interface Pod {
  /** Of what makes it. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: PodSpec
}

/** The pods that a cluster would make of manifests. */
export function podsOf(manifests: readonly Manifest[]): readonly Pod[] {
  return manifests.flatMap(({ kind, metadata: { name, labels = {} }, spec }): readonly Pod[] => {
    if (kind === 'Pod') return [{ name, labels, spec: spec as PodSpec }]
    const { template } = (spec ?? {}) as { readonly template?: Template }
    return template ? [{ name, labels: template.metadata.labels, spec: template.spec }] : []
  })
}

export function containersOf({ initContainers = [], containers }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers]
}

const volumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

/** What the Pod Security Standard `restricted` has against a pod (kubernetes.io, Pod Security Standards). */
export function restrictedFaults(spec: PodSpec): readonly string[] {
  const faults: string[] = []
  for (const member of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if ((spec as unknown as Readonly<Record<string, unknown>>)[member] === true) faults.push(member)
  }
  for (const volume of spec.volumes ?? []) {
    const type = Object.keys(volume).find((key) => key !== 'name') ?? ''
    if (!volumeTypes.has(type)) faults.push(`volume of type ${type}`)
  }
  for (const container of containersOf(spec)) {
    const own = container.securityContext ?? {}
    const all = { ...spec.securityContext, ...own }
    const { add = [], drop = [] } = (own['capabilities'] ?? {}) as {
      readonly add?: readonly string[]
      readonly drop?: readonly string[]
    }
    const { type } = (all['seccompProfile'] ?? {}) as { readonly type?: string }
    const rules = {
      allowPrivilegeEscalation: own['allowPrivilegeEscalation'] === false,
      capabilities: drop.includes('ALL') && add.length === 0,
      privileged: own['privileged'] !== true,
      runAsNonRoot: all['runAsNonRoot'] === true,
      runAsUser: all['runAsUser'] !== 0,
      seccompProfile: type === 'RuntimeDefault' || type === 'Localhost',
      hostPort: (container.ports ?? []).every((port) => !('hostPort' in port)),
    }
    for (const [rule, kept] of Object.entries(rules)) {
      if (!kept) faults.push(`${container.name}: ${rule}`)
    }
  }
  return faults
}
