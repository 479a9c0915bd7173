import type { InjectionConfig } from '../config/webhook.ts'
import type { Wanted } from './annotations.ts'
import { amountOf } from './quantity.ts'
import { InjectionRefusal } from './refusal.ts'

export interface Resources {
  readonly requests: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, string>>
}

/**
 * What the sidecar asks for. Never without requests and a memory limit: a namespace with a ResourceQuota refuses pods with a
 * container that has none. A limit for processor time is had where somebody says one: it slows the broker down, and a quota
 * on `limits.cpu` is rare. More requested than allowed is refused here: the API server would say it of a container that the
 * author of the pod has not written.
 */
export function resourcesOf(
  { cpuRequest, cpuLimit, memoryRequest, memoryLimit }: Wanted,
  { sidecar: { resources } }: InjectionConfig,
): Resources | InjectionRefusal {
  const requests: Readonly<Record<string, string>> = {
    cpu: '5m',
    memory: '64Mi',
    ...resources.requests,
    ...(cpuRequest !== undefined && { cpu: cpuRequest }),
    ...(memoryRequest !== undefined && { memory: memoryRequest }),
  }
  const limits: Readonly<Record<string, string>> = {
    memory: resources.requests?.['memory'] ?? '128Mi',
    ...resources.limits,
    ...(cpuLimit !== undefined && { cpu: cpuLimit }),
    ...(memoryLimit !== undefined && { memory: memoryLimit }),
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name]
    if (limit !== undefined && (amountOf(request) ?? 0) > (amountOf(limit) ?? Infinity)) {
      return new InjectionRefusal(
        `the ${name} request of the sidecar (${request}) is above its limit (${limit}): set lumoauth.dev/${name}-request, or the limit`,
      )
    }
  }
  return { requests, limits }
}
