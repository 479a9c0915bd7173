import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chartManifests, manifestFile } from '../../scripts/chart_manifests.ts'

test('deploy/chart.yaml is in step with the chart (node scripts/chart_manifests.ts)', () => {
  expect(readFileSync(manifestFile, 'utf8')).toBe(chartManifests())
})
