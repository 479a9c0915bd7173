import type { InjectionConfig } from '../../src/config/webhook.ts'
import { admit, type Trusted } from '../../src/webhook/admit.ts'
import { podReader } from '../../src/webhook/pod.ts'
import { caBundle, injection, podWith, type PodParts } from './reviews.ts'

const readPod = podReader()

export const GUARD = 's'.repeat(43)

/** What becomes of a pod, without HTTP. */
export function admitted(
  parts: PodParts,
  config: InjectionConfig = injection,
  trusted: Trusted = { caBundle, brokerCa: caBundle },
) {
  const pod = readPod(podWith(parts))
  if (!pod) throw new Error('no pod')
  return admit(pod, {
    injection: config,
    trusted: () => trusted,
    drawSecret: () => GUARD,
  })
}

export const annotated = (given: Readonly<Record<string, string>>): PodParts['annotations'] =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [`lumoauth.dev/${key}`, value]))

export const value = (name: string, text: string) => ({ name, value: text })
