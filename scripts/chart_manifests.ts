import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { template } from '../test/chart/chart.ts'

/** `node scripts/chart_manifests.ts`: writes the chart's default as a plain manifest, for clusters without Helm. */
export const manifestFile = fileURLToPath(new URL('../deploy/chart.yaml', import.meta.url))

const HEAD = `# What the chart renders by default, for those who apply manifests: kubectl create namespace lumo-system, then
# kubectl -n lumo-system apply -f deploy/chart.yaml. \`agents\` is empty: who may have tokens goes into the ConfigMap lumo-broker-policy.
# Written by scripts/chart_manifests.ts.
`

/** @throws Error when the chart does not render */
export function chartManifests(): string {
  const { ok, text } = template({})
  if (!ok) throw new Error(text)
  // Some versions of Helm leave empty lines behind.
  return HEAD + text.replaceAll(/\n+(?=---\n)|\n+$/g, '\n')
}

if (import.meta.main) writeFileSync(manifestFile, chartManifests())
