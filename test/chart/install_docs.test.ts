import { join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { ofSidecar, PREFIX } from '../../src/webhook/annotation_names.ts'
import { anchorsOf, firstColumn, linksOf, readPage } from '../flows/pages.ts'
import { lint, ofKind, one, render, type Values } from './chart.ts'
import { podsOf } from './pods.ts'

const page = await readPage('docs/install.md')
const apis = await readPage('docs/apis.md')
const shown = [page, apis].flatMap(({ path, blocks }) =>
  blocks
    .filter(({ mark }) => mark === 'values')
    .map(({ text }, index) => [`${path} ${String(index)}`, parse(text) as Values] as const),
)

describe.each(shown)('the values of %s', (_name, values) => {
  test('are those of a release', () => {
    expect(lint(values)).toMatchObject({ ok: true })
  })

  test('make configurations that the program takes', () => {
    const configurations = ofKind(render(values), 'ConfigMap').flatMap(({ data }) => {
      const { 'config.yaml': text } = data as Readonly<Record<string, string>>
      return text === undefined ? [] : [text]
    })
    expect(configurations.length).toBeGreaterThan(0)
    for (const text of configurations) expect(() => loadConfig(text, {})).not.toThrow()
  })
})

test('the Ingress leads to a Service that there is, at its port', () => {
  const block = apis.blocks.find(({ mark }) => mark === 'ingress')
  const { spec } = parse(block?.text ?? '') as {
    readonly spec: {
      readonly rules: readonly {
        readonly http: {
          readonly paths: readonly {
            readonly backend: { readonly service: { readonly name: string; readonly port: object } }
          }[]
        }
      }[]
    }
  }
  const service = spec.rules[0]?.http.paths[0]?.backend.service
  const found = one(render({}), 'Service', service?.name ?? '')
  const { ports } = found['spec'] as { readonly ports: readonly { readonly port: number }[] }
  expect(ports.map(({ port }) => ({ number: port }))).toContainEqual(service?.port)
})

test('the policy for namespaces of applications names pods that there are, and their port', () => {
  const block = page.blocks.find(({ mark }) => mark === 'policy')
  const { spec } = parse(block?.text ?? '') as {
    readonly spec: {
      readonly egress: readonly {
        readonly to?: readonly {
          readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> }
        }[]
        readonly ports: readonly { readonly port: number }[]
      }[]
    }
  }
  const [to] = spec.egress.flatMap((rule) => (rule.to ? [rule] : []))
  const labels = to?.to?.[0]?.podSelector.matchLabels ?? { none: 'none' }
  const pods = podsOf(render({})).filter((pod) =>
    Object.entries(labels).every(([name, value]) => pod.labels[name] === value),
  )
  const ports = pods.flatMap(({ spec: { containers } }) =>
    containers.flatMap((container) =>
      (container.ports ?? []).map(({ containerPort }) => containerPort),
    ),
  )
  expect(pods).toHaveLength(1)
  expect(ports).toContain(to?.ports[0]?.port)
})

test('names every annotation, and no other', () => {
  const named = firstColumn(page, 'annotation').flatMap((cell) => cell.split(', '))
  expect(named.sort()).toEqual(
    [...ofSidecar, 'mode', 'containers'].map((name) => PREFIX + name).sort(),
  )
})

test.each(['README.md', 'docs/install.md', 'docs/by-hand.md', 'docs/costs.md', 'docs/apis.md'])(
  'the links of %s lead somewhere',
  async (path) => {
    const broken: string[] = []
    for (const link of linksOf(await readPage(path))) {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : normalize(join(path, '..', file))
      const found = await readPage(target).catch(() => undefined)
      if (!found || (anchor !== undefined && !anchorsOf(found).includes(anchor))) broken.push(link)
    }
    expect(broken).toEqual([])
  },
)
