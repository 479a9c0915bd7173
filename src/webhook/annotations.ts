import type { InjectionConfig } from '../config/webhook.ts'
import {
  annotationAmong,
  guess,
  ofSidecar,
  PREFIX,
  shownKey,
  unknownAmong,
} from './annotation_names.ts'
import { AnnotationReader } from './annotation_reader.ts'
import { narrowed, narrowingFault, ruleOf, type Narrowed } from './narrowed.ts'
import { InjectionRefusal } from './refusal.ts'
import { contradictionOfRoutes, readRoutes, routed, type WantedRoutes } from './routes.ts'
import type { Pod } from './pod.ts'

export { INJECTED, LABEL } from './annotation_names.ts'

/** What the author of a pod wants of the broker. Every member narrows; none reaches image, authority or security context. */
export interface Wanted extends WantedRoutes {
  readonly mode: 'sidecar' | 'node'
  readonly agent: string | undefined
  /** From the agent, the audience and the scopes. */
  readonly policy: Narrowed | undefined
  /** Names of the containers that get the environment; undefined: all. */
  readonly containers: readonly string[] | undefined
  /** Names of the containers that get the socket; undefined: TCP. */
  readonly socket: readonly string[] | undefined
  readonly start: 'token' | 'config'
  readonly port: number
  readonly operationsPort: number
  readonly cpuRequest: string | undefined
  readonly cpuLimit: string | undefined
  readonly memoryRequest: string | undefined
  readonly memoryLimit: string | undefined
  readonly logLevel: string | undefined
}

const containerName = /^[a-z0-9-]{1,63}$/

/** Reads the annotations of a pod. */
export function wantedOf(
  { metadata: { annotations = {}, labels = {} }, spec }: Pod,
  { defaultMode, nodeBroker }: Pick<InjectionConfig, 'defaultMode' | 'nodeBroker'>,
): Wanted | InjectionRefusal {
  const unknown = unknownAmong(annotations)
  if (unknown !== undefined) {
    return new InjectionRefusal(`there is no annotation ${shownKey(unknown)}; ${guess(unknown)}`)
  }
  const misplaced = annotationAmong(labels)
  if (misplaced !== undefined) {
    return new InjectionRefusal(`${misplaced} is an annotation, and this pod has it as a label`)
  }
  const read = new AnnotationReader(annotations)
  const wanted = readFrom(read, defaultMode)
  if (read.refusal) return read.refusal
  const names = new Set(
    [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name),
  )
  const stranger = [...(wanted.containers ?? []), ...(wanted.socket ?? [])].find(
    (name) => !names.has(name),
  )
  if (stranger !== undefined) {
    return new InjectionRefusal(`the pod has no container ${stranger}, which an annotation names`)
  }
  const contradiction = contradictionIn(wanted, read, nodeBroker !== undefined)
  return contradiction === undefined ? wanted : new InjectionRefusal(contradiction)
}

function readFrom(read: AnnotationReader, defaultMode: Wanted['mode']): Wanted {
  const agent = read.text('agent', /^[A-Za-z0-9._-]{1,128}$/, 'a name of an agent')
  const policy = readPolicy(read, agent)
  const rule = policy && !read.refusal ? ruleOf(policy) : undefined
  return {
    mode: read.oneOf('mode', ['sidecar', 'node']) ?? defaultMode,
    agent,
    policy,
    containers: read.list('containers', containerName),
    socket: read.list('socket', containerName),
    start: read.oneOf('start', ['token', 'config']) ?? 'token',
    port: read.port('port') ?? 9_180,
    operationsPort: read.port('operations-port') ?? 9_190,
    cpuRequest: read.quantity('cpu-request', '1m', '4'),
    cpuLimit: read.quantity('cpu-limit', '1m', '4'),
    memoryRequest: read.quantity('memory-request', '16Mi', '4Gi'),
    // With less than it needs the sidecar would be killed over and over.
    memoryLimit: read.quantity('memory-limit', '64Mi', '4Gi'),
    logLevel: read.oneOf('log-level', ['debug', 'info', 'warn', 'error']),
    proxyRoutes: readRoutes(read, routed.proxy, rule),
    authorizationRoutes: readRoutes(read, routed.authorization, rule),
  }
}

function readPolicy(read: AnnotationReader, agent: string | undefined): Narrowed | undefined {
  const audience = read.text('audience', /^[\x21-\x7e]{1,512}$/, 'an audience without blanks')
  const scopes = read.list('scopes', /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/)
  const policy = narrowed({ agent, audience, scopes })
  const fault = policy && !read.refusal ? narrowingFault(policy) : undefined
  if (fault) read.refuse(fault.of, `cannot be used: ${fault.message}`)
  return policy
}

/** Annotations of which one would silently say nothing. */
function contradictionIn(
  wanted: Wanted,
  read: AnnotationReader,
  hasNodeBroker: boolean,
): string | undefined {
  const { mode, socket, port, operationsPort } = wanted
  if (mode === 'node') {
    if (!hasNodeBroker) {
      return `${PREFIX}mode cannot be node: no broker runs on the nodes of this cluster. Leave the annotation out, or have the chart installed with node.enabled`
    }
    const idle = ofSidecar.find((name) => read.has(name))
    return idle && `${PREFIX}${idle} is for the mode sidecar, and this pod has the mode node`
  }
  const ofRoutes = contradictionOfRoutes(wanted)
  if (ofRoutes !== undefined) return ofRoutes
  if (socket) {
    if (read.has('port')) {
      return `${PREFIX}port says nothing beside ${PREFIX}socket: with a socket there is no port`
    }
    return contradictionOfSocket(wanted, socket)
  }
  return port === operationsPort
    ? `the broker would have the port ${String(port)} twice: ${PREFIX}port (9180 without it) and ${PREFIX}operations-port (9190 without it) must differ`
    : undefined
}

/** Beside the proxy there is something to reach without the socket: then each container that is to have the socket has to be chosen. */
function contradictionOfSocket(
  { containers, proxyRoutes }: Wanted,
  socket: readonly string[],
): string | undefined {
  if (!containers) return undefined
  if (proxyRoutes) {
    const left = socket.find((name) => !containers.includes(name))
    return (
      left &&
      `${PREFIX}socket names ${left}, which would get none: ${PREFIX}containers does not name it`
    )
  }
  const outside = containers.find((name) => !socket.includes(name))
  return (
    outside &&
    `${PREFIX}containers names ${outside}, which could not reach the broker: ${PREFIX}socket does not name it`
  )
}
