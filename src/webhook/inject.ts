import type { InjectionConfig } from '../config/webhook.ts'
import { CA_BUNDLE, INJECTED, LABEL, TRUSTED_CA } from './annotation_names.ts'
import type { Wanted } from './annotations.ts'
import { chosenOf, sidecarPlace } from './chosen.ts'
import { bundleIds } from './certificates/read_pair.ts'
import { addVariables } from './environment.ts'
import { obstacleIn, obstacleInInjected } from './obstacles.ts'
import { append, assign, pointer, type Operation } from './patch.ts'
import type { Pod } from './pod.ts'
import { InjectionRefusal } from './refusal.ts'
import { resourcesOf } from './resources.ts'
import {
  environmentOf,
  mountsOf,
  PROOF_VOLUME,
  proofVolume,
  SIDECAR,
  sidecarOf,
  socketVolume,
  type SidecarWorld,
} from './sidecar.ts'

export function isLabelled({ metadata: { labels = {} } }: Pod): boolean {
  return labels[LABEL] === 'true'
}

/**
 * Whether the webhook was here before: the API server asks again when another webhook changed the pod. Not compared with what
 * is put in, for others change that as well (registries, resources). An author who writes all of it himself gets around
 * nothing: whoever makes pods mounts a proof by himself, and what it is worth is for the authority to say.
 */
export function isInjected({ metadata: { annotations = {} }, spec }: Pod): boolean {
  const mode = annotations[INJECTED]
  const hasProof = spec.volumes?.some(
    ({ name, projected }) => name === PROOF_VOLUME && projected !== undefined,
  )
  if (hasProof !== true) return false
  if (mode === 'node') return true
  return mode === 'sidecar' && (spec.initContainers ?? []).some(isOurSidecar)
}

function isOurSidecar({ name, restartPolicy }: { name: string; restartPolicy?: string }): boolean {
  return name === SIDECAR && restartPolicy === 'Always'
}

/**
 * What an injected pod needs when the API server asks again: nothing, unless a mesh came meanwhile and put its proxy behind
 * the sidecar, which would then wait for a network that waits for it.
 */
export function injectAgain(
  pod: Pod,
  config: InjectionConfig,
): readonly Operation[] | InjectionRefusal {
  const mode = pod.metadata.annotations?.[INJECTED] === 'node' ? 'node' : 'sidecar'
  const obstacle = obstacleInInjected(pod, mode)
  if (obstacle !== undefined) return new InjectionRefusal(obstacle)
  const from = pod.spec.initContainers?.findIndex(isOurSidecar) ?? -1
  const place = sidecarPlace(pod, config)
  if (from === -1 || from > place - 1) return []
  const init = (index: number) => pointer('spec', 'initContainers', index)
  // By the time that it is put in its place it is one fewer (RFC 6902 section 4.4).
  return [{ op: 'move', from: init(from), path: init(place - 1) }]
}

/**
 * The operations that put the broker into a pod (RFC 6902). They add; nothing that the author wrote is changed but
 * `NO_PROXY`, for a proxy would get what is meant for the loopback.
 */
export function inject(
  pod: Pod,
  wanted: Wanted,
  config: InjectionConfig,
  world: SidecarWorld,
): readonly Operation[] | InjectionRefusal {
  const chosen = chosenOf(pod, wanted, config)
  if (chosen instanceof InjectionRefusal) return chosen
  const obstacle = obstacleIn(pod, wanted, chosen)
  if (obstacle !== undefined) return new InjectionRefusal(obstacle)
  const sidecar = wanted.mode === 'sidecar' ? addSidecar(pod, wanted, config, world) : []
  if (sidecar instanceof InjectionRefusal) return sidecar
  return [
    ...chosen.flatMap(({ container, at }) => [
      ...addVariables(
        container,
        at,
        environmentOf(container, wanted, config, world),
        wanted.mode === 'sidecar',
      ),
      ...append(
        container.volumeMounts,
        pointer(...at, 'volumeMounts'),
        mountsOf(container, wanted),
      ),
    ]),
    // Behind the operations on init containers: it moves their places.
    ...sidecar,
    ...append(pod.spec.volumes, '/spec/volumes', [
      proofVolume(wanted, config),
      ...(wanted.socket ? [socketVolume] : []),
    ]),
    ...mark(pod, { [INJECTED]: wanted.mode, ...trustOf(wanted, world) }),
  ]
}

/** A mark of ours that the author wrote goes: the pods that name a CA are counted by it, and a change of the CA waits for them. */
function mark(
  { metadata: { annotations } }: Pod,
  marks: Readonly<Record<string, string>>,
): readonly Operation[] {
  const path = '/metadata/annotations'
  const forged = [TRUSTED_CA, CA_BUNDLE].filter(
    (key) => annotations?.[key] !== undefined && marks[key] === undefined,
  )
  return [
    ...assign(annotations, path, marks),
    ...forged.map((key): Operation => ({ op: 'remove', path: path + pointer(key) })),
  ]
}

function trustOf({ mode }: Wanted, { caBundle, brokerCa }: SidecarWorld) {
  if (mode === 'node') return { [TRUSTED_CA]: bundleIds(brokerCa), [CA_BUNDLE]: brokerCa }
  return caBundle === undefined ? {} : { [TRUSTED_CA]: bundleIds(caBundle) }
}

function addSidecar(
  pod: Pod,
  wanted: Wanted,
  config: InjectionConfig,
  world: SidecarWorld,
): readonly Operation[] | InjectionRefusal {
  const resources = resourcesOf(wanted, config)
  if (resources instanceof InjectionRefusal) return resources
  const sidecar = sidecarOf(wanted, config, resources, world)
  const place = sidecarPlace(pod, config)
  const added: Operation =
    pod.spec.initContainers === undefined
      ? { op: 'add', path: '/spec/initContainers', value: [sidecar] }
      : { op: 'add', path: pointer('spec', 'initContainers', place), value: sidecar }
  return [added, ...addPullSecrets(pod, config)]
}

function addPullSecrets(
  { spec: { imagePullSecrets } }: Pod,
  { sidecar }: InjectionConfig,
): readonly Operation[] {
  const missing = sidecar.imagePullSecrets.filter(
    (name) => imagePullSecrets?.some((secret) => secret.name === name) !== true,
  )
  return append(
    imagePullSecrets,
    '/spec/imagePullSecrets',
    missing.map((name) => ({ name })),
  )
}
