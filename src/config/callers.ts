import Type, { type Static } from 'typebox'
import { issuerOf } from './authority.ts'
import type { CallersConfig } from './config.ts'
import type { ReportFault } from './document.ts'
import type { TokenProviderConfig } from './provider/config.ts'
import { resolveProvider } from './provider/resolve.ts'
import { providerSchema } from './provider/schema.ts'

const MAX_WORKLOADS = 1_000

export const callersSchema = Type.Object(
  {
    providers: Type.Array(providerSchema, {
      default: [],
      maxItems: 8,
      description:
        'Shape node: the cluster whose tokens callers show, of kind kubernetes. With shape all-in-one those of the tenant are taken.',
    }),
    nodeName: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        env: 'NODE_NAME',
        description: 'Shape node: this node. Tokens of pods on other nodes are refused.',
      }),
    ),
    maxWorkloads: Type.Integer({
      default: MAX_WORKLOADS,
      minimum: 1,
      maximum: 100_000,
      description: 'Pods that tokens are held for at once.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Who may call, with proof.source caller.',
  },
)

type CallersSection = Static<typeof callersSchema>

/** Whether somebody configured callers: a name of the node alone comes of NODE_NAME, which manifests set everywhere. */
export function meansCallers(section: CallersSection | undefined): boolean {
  return (
    section !== undefined &&
    (section.providers.length > 0 || section.maxWorkloads !== MAX_WORKLOADS)
  )
}

/** The cross rules of `broker.callers`. `audience`: what callers' tokens are made for. */
export function resolveCallers(
  section: CallersSection | undefined,
  shape: 'node' | 'all-in-one',
  audience: string,
  fault: ReportFault,
): CallersConfig {
  const { providers = [], nodeName, maxWorkloads = MAX_WORKLOADS } = section ?? {}
  if (shape === 'all-in-one') {
    if (providers.length > 0) {
      fault('broker.callers.providers', "must be absent with shape all-in-one: the tenant's count")
    }
    return { from: 'caller', providers: undefined, maxWorkloads }
  }
  if (providers.length === 0) fault('broker.callers.providers', 'must be given with shape node')
  if (nodeName === undefined) {
    fault(
      'broker.callers.nodeName',
      'must be given with shape node, as NODE_NAME: every pod of the cluster can reach this address',
    )
  }
  return {
    from: 'caller',
    providers: providers.map((entry, index) => {
      const path = `broker.callers.providers[${String(index)}]`
      return onThisNode(entry, path, { nodeName, audience }, fault)
    }),
    maxWorkloads,
  }
}

const WHY = {
  node: 'it is broker.callers.nodeName',
  requirePod: 'callers are pods',
  audiences: 'it is broker.proof.audience',
  tokenReview: 'the authority asks the API server, a node broker nobody',
} as const

function onThisNode(
  entry: CallersSection['providers'][number],
  path: string,
  { nodeName, audience }: { readonly nodeName: string | undefined; readonly audience: string },
  fault: ReportFault,
): TokenProviderConfig & { kind: 'kubernetes' } {
  if (entry.kind !== 'kubernetes') fault(`${path}.kind`, 'must be kubernetes: callers are pods')
  for (const setting of ['node', 'requirePod', 'audiences', 'tokenReview'] as const) {
    if (entry[setting] !== undefined)
      fault(`${path}.${setting}`, `must be absent here: ${WHY[setting]}`)
  }
  const resolved = resolveProvider(
    { ...entry, kind: 'kubernetes', audiences: [audience], requirePod: true },
    path,
    issuerOf('https://unnamed.invalid', 'none'),
    (at, why) => {
      // What is wrong with the audience is said of broker.proof.audience.
      if (at !== `${path}.audiences`) fault(at, why)
    },
  )
  if (resolved.kind !== 'kubernetes') throw new Error('a kind became another')
  return { ...resolved, node: nodeName ?? '' }
}
