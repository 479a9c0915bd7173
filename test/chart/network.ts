import { BlockList, isIPv4 } from 'node:net'

/** Where a packet comes from or goes to: a pod, or an address outside of the cluster. */
export type Place =
  | { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly address: string }

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string }
}

export interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly { readonly port: number; readonly protocol: string }[]
}

export interface NetworkPolicy {
  readonly metadata: { readonly namespace?: string }
  readonly spec: {
    readonly podSelector: Selector
    readonly policyTypes: readonly string[]
    readonly ingress?: readonly Rule[] | null
    readonly egress?: readonly Rule[] | null
  }
}

export interface Packet {
  readonly from: Place
  readonly to: Place
  readonly port: number
  readonly protocol: string
}

/**
 * Whether a packet gets through, as networking.k8s.io/v1 has it: both ends have to let it, and an end that a policy selects
 * lets through what some rule allows.
 */
export function passes(policies: readonly NetworkPolicy[], packet: Packet): boolean {
  return (
    ends(policies, packet.from, 'Egress', ({ egress }) => egress, packet.to, packet) &&
    ends(policies, packet.to, 'Ingress', ({ ingress }) => ingress, packet.from, packet)
  )
}

function ends(
  policies: readonly NetworkPolicy[],
  self: Place,
  type: string,
  rulesOf: (spec: NetworkPolicy['spec']) => readonly Rule[] | null | undefined,
  other: Place,
  packet: Packet,
): boolean {
  const selecting = policies.filter(
    ({ metadata: { namespace }, spec: { policyTypes, podSelector } }) =>
      'labels' in self &&
      self.namespace === namespace &&
      policyTypes.includes(type) &&
      fits(podSelector, self.labels),
  )
  if (selecting.length === 0) return true
  return selecting.some(({ metadata: { namespace = '' }, spec }) =>
    (rulesOf(spec) ?? []).some((rule) => allows(rule, namespace, other, packet)),
  )
}

function allows(
  { from, to, ports }: Rule,
  namespace: string,
  other: Place,
  { port, protocol }: Packet,
): boolean {
  const peers = from ?? to ?? []
  const fitsPort =
    ports === undefined ||
    ports.some((allowed) => allowed.port === port && allowed.protocol === protocol)
  return fitsPort && (peers.length === 0 || peers.some((peer) => isPeer(peer, namespace, other)))
}

function isPeer(
  { podSelector, namespaceSelector, ipBlock }: Peer,
  namespace: string,
  other: Place,
): boolean {
  if ('address' in other) return ipBlock !== undefined && isWithin(other.address, ipBlock.cidr)
  if (ipBlock) return false
  const fitsNamespace = namespaceSelector
    ? fits(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === namespace
  return fitsNamespace && fits(podSelector ?? {}, other.labels)
}

function fits(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator === 'In') return values.includes(labels[key] ?? '')
      if (operator === 'NotIn') return !values.includes(labels[key] ?? '')
      throw new Error(`the operator ${operator} is not known here`)
    })
  )
}

function isWithin(address: string, cidr: string): boolean {
  const [network = '', bits] = cidr.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6')
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}
