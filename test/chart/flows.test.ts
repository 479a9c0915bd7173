import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { chartFolder, NAMESPACE, ofKind, render, type Values } from './chart.ts'
import { modeOf } from './modes.ts'
import { passes, type NetworkPolicy, type Packet, type Place } from './network.ts'
import { podsOf } from './pods.ts'

/** A line of the table. */
interface Flow {
  readonly from: string
  readonly to: string
  readonly ports: readonly (number | string)[]
  readonly protocol?: string
  /** Only in this shape. */
  readonly where?: 'allInOne' | 'postgresql'
}

const { flows } = parse(readFileSync(`${chartFolder}files/flows.yaml`, 'utf8')) as {
  readonly flows: readonly Flow[]
}

/** What a mode makes of the words of the table: the places that they stand for, and the ports. */
interface Setting {
  readonly mode: string
  readonly changes?: Values
  readonly apiServerPorts?: readonly number[]
  readonly webhookPort?: number
  /** Absent: nothing of the chart calls hosts outside of the cluster. */
  readonly remotePorts?: {
    readonly authority?: readonly number[]
    readonly node?: readonly number[]
  }
  readonly apiServers?: readonly string[]
  readonly outside?: readonly string[]
  readonly scrapers?: readonly string[]
  readonly shape?: readonly Flow['where'][]
  /** Without an address: anywhere. */
  readonly postgresql?: { readonly address?: string; readonly port: number }
}

const settings: readonly Setting[] = [
  { mode: 'no values' },
  { mode: 'a broker on each node' },
  { mode: 'cert-manager' },
  { mode: 'an authority elsewhere', remotePorts: { node: [443, 8443] } },
  { mode: 'node brokers alone', remotePorts: { node: [443, 8443, 3128] } },
  { mode: 'keys by discovery', remotePorts: { authority: [443, 8446, 8447], node: [443, 8446] } },
  { mode: 'host network', webhookPort: 10443 },
  { mode: 'all in one', shape: ['allInOne'] },
  {
    mode: 'PostgreSQL',
    shape: ['postgresql'],
    postgresql: { address: '192.0.2.70', port: 6432 },
  },
  // No setting says where the database is: anywhere, at its port.
  {
    mode: 'all in one, on PostgreSQL',
    shape: ['allInOne', 'postgresql'],
    postgresql: { port: 5432 },
  },
  {
    mode: 'everything',
    apiServerPorts: [6443],
    apiServers: ['10.0.0.3'],
    outside: ['192.0.2.9'],
    scrapers: ['monitoring'],
    remotePorts: { authority: [443, 3128, 8443, 8444, 8445], node: [443, 8443, 3128] },
  },
]

const components = new Set(['authority', 'webhook', 'node'])
/** An address that nobody named, as an API server, a resolver or a web site may have. */
const SOMEWHERE = '203.0.113.50'
const named = settings.flatMap(({ remotePorts: { authority = [], node = [] } = {} }) => [
  ...authority,
  ...node,
])
const ports = new Set([53, 80, 443, 5432, 6432, 6443, 9170, 9180, 9190, 9443, 10443, ...named])

describe.each(settings)('$mode', (setting) => {
  const manifests = render(modeOf(setting.mode))
  const policies = ofKind(manifests, 'NetworkPolicy') as unknown as readonly NetworkPolicy[]
  const own = new Map<string, Place>(
    podsOf(manifests.filter(({ kind }) => kind !== 'Pod')).map(({ labels }) => [
      labels['app.kubernetes.io/component'] ?? '',
      { namespace: NAMESPACE, labels },
    ]),
  )
  const places = new Map<string, Place>([
    ...own,
    ['a pod', { namespace: 'demo', labels: { app: 'hello' } }],
    ['a pod beside them', { namespace: NAMESPACE, labels: { app: 'other' } }],
    ['prometheus', { namespace: 'monitoring', labels: { app: 'prometheus' } }],
    ['an API server', { address: setting.apiServers?.[0] ?? SOMEWHERE }],
    ['outside', { address: setting.outside?.[0] ?? SOMEWHERE }],
    ['a database', { address: setting.postgresql?.address ?? SOMEWHERE }],
    ['somewhere', { address: SOMEWHERE }],
  ])

  test('each end of a packet of the table lets it, and of others does not', () => {
    expect(policies.length).toBe(own.size)
    const wrong: string[] = []
    let through = 0
    for (const [from, source] of places) {
      for (const [to, target] of places) {
        if (from === to || !(own.has(from) || own.has(to))) continue
        for (const port of ports) {
          for (const protocol of ['TCP', 'UDP']) {
            const packet: Packet = { from: source, to: target, port, protocol }
            const wanted = isWanted({ from, to, port, protocol }, own, setting)
            if (wanted) through += 1
            if (passes(policies, packet) !== wanted) {
              wrong.push(`${from} to ${to} ${protocol} ${String(port)}: ${String(!wanted)}`)
            }
          }
        }
      }
    }
    expect(wrong).toEqual([])
    expect(through).toBeGreaterThan(own.size * 3)
  })
})

interface Named {
  readonly from: string
  readonly to: string
  readonly port: number
  readonly protocol: string
}

/** What the table says of a packet: an end that is a pod of the chart has to have a line for it. */
function isWanted(packet: Named, own: ReadonlyMap<string, Place>, setting: Setting): boolean {
  const fits = (flow: Flow): boolean => fitsPort(flow, packet, setting)
  const leaves =
    !own.has(packet.from) ||
    flows.some(
      (flow) => flow.from === packet.from && fits(flow) && isAt(flow.to, packet.to, setting, false),
    )
  const enters =
    !own.has(packet.to) ||
    flows.some(
      (flow) => flow.to === packet.to && fits(flow) && isAt(flow.from, packet.from, setting, true),
    )
  return leaves && enters
}

function fitsPort(flow: Flow, { port, protocol }: Named, setting: Setting): boolean {
  const { apiServerPorts = [443, 6443], webhookPort = 9443, remotePorts = {} } = setting
  const words: Readonly<Record<string, readonly number[]>> = {
    apiServer: apiServerPorts,
    webhook: [webhookPort],
    remote: remotePorts[flow.from as 'authority' | 'node'] ?? [],
    postgresql: setting.postgresql ? [setting.postgresql.port] : [],
  }
  return (
    (flow.where === undefined || (setting.shape ?? []).includes(flow.where)) &&
    (flow.protocol ?? 'TCP') === protocol &&
    flow.ports.some((one) => (typeof one === 'number' ? one === port : words[one]?.includes(port)))
  )
}

/** Whether a place is what a word of the table stands for. */
function isAt(word: string, place: string, setting: Setting, asCaller: boolean): boolean {
  const isPod = components.has(place) || place.startsWith('a pod') || place === 'prometheus'
  switch (word) {
    case 'pods':
      return isPod
    case 'scrapers':
      return setting.scrapers ? place === 'prometheus' : isPod
    case 'outside':
      return setting.outside !== undefined && place === 'outside'
    case 'apiServer':
      return !asCaller || setting.apiServers === undefined || place === 'an API server'
    case 'postgresql':
      return setting.postgresql?.address === undefined || place === 'a database'
    case 'dns':
    case 'remote':
      return true
    default:
      return word === place
  }
}

test('without policies there is none', () => {
  const manifests = render({ networkPolicy: { enabled: false } })
  expect(ofKind(manifests, 'NetworkPolicy')).toEqual([])
})
