import type { Static, TSchema } from 'typebox'
import { authorizationSchema, resolveAuthorization } from '../config/authorization.ts'
import {
  DocumentFault,
  NO_SUCH_SETTING,
  parseValue,
  readYaml,
  showFault,
  type Fault,
  type ReportFault,
} from '../config/document.ts'
import { proxySchema, resolveProxy } from '../config/proxy.ts'
import type { RouteWish } from '../config/route_wish.ts'
import type { LocalRule } from '../policy/local/rule.ts'
import { PREFIX } from './annotation_names.ts'
import type { AnnotationReader } from './annotation_reader.ts'

/** Both go into one variable, and the kernel takes no more than 128 KiB of one. */
const MAX_BYTES = 16_384

/** As they were written: what they leave out the sidecar fills in. */
export type Routes = readonly unknown[]

/** What routes are for, and the port of the sidecar that serves them. */
export const routed = {
  proxy: { annotation: 'proxy-routes', port: 9_181, judge: judgeProxy },
  authorization: { annotation: 'authorization-routes', port: 9_182, judge: judgeAuthorization },
} as const
type Routed = (typeof routed)[keyof typeof routed]

/** The sidecar of a pod: its callers come from the pod, over TCP. */
const around = { fromOthers: false, brokerListen: [] } as const

/**
 * Reads routes by the rules of the configuration, for the sidecar would end for what is wrong with them, and by the rule that
 * other annotations are, which would refuse each request of a route that asks for more.
 */
export function readRoutes(
  read: AnnotationReader,
  { annotation, judge }: Routed,
  rule: LocalRule | undefined,
): Routes | undefined {
  const text = read.text(annotation, /[^]/, 'a list of routes')
  if (text === undefined) return undefined
  if (Buffer.byteLength(text) > MAX_BYTES) {
    read.refuse(annotation, `must be ${String(MAX_BYTES / 1024)} KiB at most`)
    return undefined
  }
  const result = routesIn(text, judge, rule)
  if (typeof result !== 'string') return result
  read.refuse(annotation, `cannot be used: ${result}`)
  return undefined
}

/** The routes, or a sentence that says what is wrong. */
function routesIn(
  text: string,
  judge: Routed['judge'],
  rule: LocalRule | undefined,
): Routes | string {
  try {
    const routes = readYaml(text)
    if (!Array.isArray(routes)) return 'it must be a list of routes, as YAML or JSON'
    const faults: Fault[] = []
    const wishes = judge({ routes }, (path, message) => {
      faults.push({ path: path.replace(/^broker\.[a-z]+\./, ''), message })
    })
    faults.push(...wishes.flatMap((wish, index) => excessOf(wish, index, rule)))
    return faults[0] ? sentenceOf(faults[0]) : routes
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const unknown = error.faults.find(({ message }) => message === NO_SUCH_SETTING)
    return sentenceOf(unknown ?? error.faults[0])
  }
}

/** What a route asks for beyond the rule. */
function excessOf(
  { audiences, resources, scope }: RouteWish,
  index: number,
  rule: LocalRule | undefined,
): readonly Fault[] {
  const at = `routes[${String(index)}]`
  const denied = rule?.denies({ targets: [...audiences, ...resources], scope })
  if (denied === undefined) return []
  return denied === 'scope_not_allowed'
    ? [{ path: `${at}.scopes`, message: `must be among those of ${PREFIX}scopes` }]
    : [{ path: at, message: `must have a target that ${PREFIX}audience allows` }]
}

function judgeProxy(section: unknown, fault: ReportFault): readonly RouteWish[] {
  const sound = parsed(section, proxySchema)
  // The sidecar mounts nothing of the pod's.
  sound.routes.forEach(({ caFile }, index) => {
    if (caFile === undefined) return
    fault(`routes[${String(index)}].caFile`, 'must be absent: the sidecar has no file of yours')
  })
  return resolveProxy(sound, around, fault)?.routes ?? []
}

function judgeAuthorization(section: unknown, fault: ReportFault): readonly RouteWish[] {
  const sound = parsed(section, authorizationSchema)
  return resolveAuthorization(sound, around, fault)?.routes ?? []
}

function parsed<Schema extends TSchema>(section: unknown, schema: Schema): Static<Schema> {
  return parseValue(section, schema)
}

/** A path names members as their author wrote them: what is none of ours is not shown. */
function sentenceOf({ path, message }: Fault = { path: '', message: 'it cannot be read' }): string {
  const isPlain = /^routes(\[\d{1,6}\]|\.[A-Za-z]{1,32})*$/.test(path)
  return showFault({ path: isPlain || path === '' ? path : 'routes', message })
}

/** What the sidecar serves beside the broker and its operations. */
export function routedOf({ proxyRoutes, authorizationRoutes }: WantedRoutes): readonly Routed[] {
  return [
    ...(proxyRoutes ? [routed.proxy] : []),
    ...(authorizationRoutes ? [routed.authorization] : []),
  ]
}

export interface WantedRoutes {
  readonly proxyRoutes: Routes | undefined
  readonly authorizationRoutes: Routes | undefined
}

/** Annotations beside which routes cannot stand. */
export function contradictionOfRoutes(
  wanted: WantedRoutes & {
    readonly socket: readonly string[] | undefined
    readonly port: number
    readonly operationsPort: number
  },
): string | undefined {
  for (const { annotation, port } of routedOf(wanted)) {
    const name = PREFIX + annotation
    // The proxy shows no token to whoever uses it; a gateway is handed them.
    if (wanted.socket && annotation === routed.authorization.annotation) {
      return `${name} cannot stand beside ${PREFIX}socket: every container of the pod could get tokens by way of the port ${String(port)}`
    }
    if (port === wanted.port || port === wanted.operationsPort) {
      return `the broker would have the port ${String(port)} twice: with ${name} neither ${PREFIX}port nor ${PREFIX}operations-port can name it`
    }
  }
  return undefined
}
