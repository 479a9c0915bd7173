import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { counters, gauges, histograms } from '../../src/platform/metrics.ts'
import { chartFolder, fileOf, ofKind, one, render } from './chart.ts'
import { modeOf } from './modes.ts'
import { podsOf } from './pods.ts'

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[]
  }[]
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
}

const alertsFile = `${chartFolder}files/alerts.yaml`
const alerts = parse(readFileSync(alertsFile, 'utf8')) as Alerts
const dashboard = JSON.parse(
  readFileSync(`${chartFolder}files/dashboard.json`, 'utf8'),
) as Dashboard

/** Labels that Prometheus Operator adds to what it reads of pods. */
const OF_THE_SCRAPE = ['namespace', 'pod', 'container', 'le']
const known = new Map<string, readonly string[]>([
  ...[...Object.values(counters), ...Object.values(gauges)].map(
    ({ name, labels }) => [name, labels] as const,
  ),
  ...Object.values(histograms).map(({ name }) => [`${name}_bucket`, []] as const),
])

const expressions = [
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
]

test.each(expressions)('%s asks for metrics and labels that there are: %s', (_, expr) => {
  const names = [...expr.matchAll(/\blumo_\w+/g)].map(([name]) => name)
  expect(names).not.toEqual([])
  const labels = names.flatMap((name) => {
    expect([...known.keys()]).toContain(name)
    return known.get(name) ?? []
  })
  const used = [
    ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
    ...[...expr.matchAll(/[{,](\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label),
  ]
  for (const label of used) expect([...labels, ...OF_THE_SCRAPE]).toContain(label)
})

const promtool = spawnSync('promtool', ['--version']).status === 0

test.skipIf(!promtool)('promtool has nothing against the alerts', () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', alertsFile], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
})

test.skipIf(!promtool)('each state of the webhook raises its alert, and no other', () => {
  const cases = fileURLToPath(new URL('alerts.yaml', import.meta.url))
  const { status, stderr, stdout } = spawnSync('promtool', ['test', 'rules', cases], {
    encoding: 'utf8',
  })
  expect(status, stdout + stderr).toBe(0)
})

const manifests = render(modeOf('everything'))

test('alerts and dashboard are rendered as they are', () => {
  expect(one(manifests, 'PrometheusRule', 'lumo-broker')['spec']).toEqual(alerts)
  const text = fileOf(manifests, 'lumo-broker-dashboard', 'lumo-broker.json')
  expect(JSON.parse(text)).toEqual(dashboard)
})

test('what is read is a port that the pods have', () => {
  const [components, sidecars] = ofKind(manifests, 'PodMonitor').map(
    ({ spec }) =>
      spec as {
        readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
        readonly podMetricsEndpoints: readonly { readonly port: string }[]
      },
  )
  expect(sidecars?.selector.matchLabels).toEqual({ 'lumoauth.dev/inject': 'true' })
  expect(components?.podMetricsEndpoints[0]?.port).toBe('operations')
  expect(sidecars?.podMetricsEndpoints[0]?.port).toBe('lumo-ops')
  for (const { labels, spec } of podsOf(manifests.filter(({ kind }) => kind !== 'Pod'))) {
    expect(labels).toMatchObject(components?.selector.matchLabels ?? {})
    expect(spec.containers[0]?.ports?.map(({ name }) => name)).toContain('operations')
  }
})

test('nothing of it is there by itself', () => {
  const kinds = render({}).map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  expect(kinds.filter((name) => /Monitor|Rule|dashboard/.test(name))).toEqual([])
})
