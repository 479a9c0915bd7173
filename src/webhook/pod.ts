import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** What of a pod is looked at. Open: a member that is not named here is none of our business, and stays as it is. */
const text = Type.String()
const variable = Type.Object({
  name: text,
  value: Type.Optional(text),
  valueFrom: Type.Optional(Type.Unknown()),
})
const port = Type.Object({
  containerPort: Type.Optional(Type.Integer()),
  hostPort: Type.Optional(Type.Integer()),
  protocol: Type.Optional(text),
})
const named = Type.Object({ name: text })
const container = Type.Object({
  name: text,
  restartPolicy: Type.Optional(text),
  env: Type.Optional(Type.Array(variable)),
  envFrom: Type.Optional(Type.Array(Type.Unknown())),
  ports: Type.Optional(Type.Array(port)),
  volumeMounts: Type.Optional(
    Type.Array(Type.Object({ name: Type.Optional(text), mountPath: text })),
  ),
})
const texts = Type.Record(text, text)
const pod = Type.Object({
  metadata: Type.Object({
    name: Type.Optional(text),
    generateName: Type.Optional(text),
    labels: Type.Optional(texts),
    annotations: Type.Optional(texts),
  }),
  spec: Type.Object({
    containers: Type.Array(container, { minItems: 1 }),
    initContainers: Type.Optional(Type.Array(container)),
    volumes: Type.Optional(
      Type.Array(Type.Object({ name: text, projected: Type.Optional(Type.Unknown()) })),
    ),
    imagePullSecrets: Type.Optional(Type.Array(Type.Object({ name: Type.Optional(text) }))),
    hostNetwork: Type.Optional(Type.Boolean()),
    shareProcessNamespace: Type.Optional(Type.Boolean()),
    hostPID: Type.Optional(Type.Boolean()),
    os: Type.Optional(named),
    nodeSelector: Type.Optional(texts),
    affinity: Type.Optional(Type.Unknown()),
  }),
})

export type Pod = Static<typeof pod>
export type Container = Static<typeof container>

/** Undefined: it has not the shape of a pod. */
export type ReadPod = (value: unknown) => Pod | undefined

/** A check that is compiled once: to walk the schema anew for each pod took most of the time of a large one. */
export function podReader(): ReadPod {
  const compiled = Compile(pod)
  return (value) => (compiled.Check(value) ? value : undefined)
}

/** The name of a container for a sentence. Mutating webhooks see a pod before anybody has judged its names. */
export function shownName({ name }: { readonly name: string }): string {
  return /^[a-z0-9-]{1,63}$/.test(name) ? name : '…'
}
