import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { chartFolder, template } from './chart.ts'

/**
 * `lookup` finds nothing without a cluster, so what the chart makes of what it would find is tried on its own. That the chart
 * asks is tried by `npm run e2e`.
 */
const chart = mkdtempSync(join(tmpdir(), 'lumo-other-release-'))
mkdirSync(join(chart, 'templates'))
cpSync(join(chartFolder, 'Chart.yaml'), join(chart, 'Chart.yaml'))
cpSync(join(chartFolder, 'templates/_helpers.tpl'), join(chart, 'templates/_helpers.tpl'))
writeFileSync(
  join(chart, 'templates/said.yaml'),
  'said: {{ include "lumo-broker.otherRelease" (list . .Values.found) | quote }}\n',
)
afterAll(() => {
  rmSync(chart, { recursive: true })
})

const webhooks = [{ name: 'first.example.com' }, { name: 'inject.lumoauth.dev' }]
const by = (name: string, namespace: string) => ({
  'meta.helm.sh/release-name': name,
  'meta.helm.sh/release-namespace': namespace,
})
const other = { metadata: { name: 'tokens.other', annotations: by('tokens', 'other') }, webhooks }

test.each([
  { what: 'nothing', found: [], refused: false },
  {
    what: 'another webhook',
    found: [{ metadata: { name: 'mesh' }, webhooks: [] }],
    refused: false,
  },
  { what: 'one without webhooks', found: [{ metadata: { name: 'mesh' } }], refused: false },
  {
    what: 'its own',
    found: [{ metadata: { name: 'lumo-broker.lumo-system' }, webhooks }],
    refused: false,
  },
  {
    what: 'its own under the name that it had',
    found: [
      {
        metadata: { name: 'a.lumo-system', annotations: by('lumo-broker', 'lumo-system') },
        webhooks,
      },
    ],
    refused: false,
  },
  { what: 'that of another release', found: [other], refused: true },
  {
    what: 'that of a release of its name in another namespace',
    found: [
      {
        metadata: { name: 'lumo-broker.other', annotations: by('lumo-broker', 'other') },
        webhooks,
      },
    ],
    refused: true,
  },
  {
    what: 'one that was applied without Helm',
    found: [{ metadata: { name: 'lumo-broker.other' }, webhooks }],
    refused: true,
  },
])('a cluster with $what', ({ found, refused }) => {
  const { ok, text } = template({ found }, { chart })
  expect(ok, text).toBe(true)
  expect(text.includes('this cluster has a lumo-broker already')).toBe(refused)
  expect(text.includes('upgrade that release, uninstall it first')).toBe(refused)
})

test('two others are told of once', () => {
  const { text } = template({ found: [other, other] }, { chart })
  expect(text.match(/this cluster has/g)).toHaveLength(1)
})
