import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { chartReadme, documentedValues } from '../../scripts/chart_readme.ts'
import { chartFolder, template, type Values } from './chart.ts'

const readme = readFileSync(`${chartFolder}README.md`, 'utf8')
const values = readFileSync(`${chartFolder}values.yaml`, 'utf8')

test('the README is in step with the values (node scripts/chart_readme.ts)', async () => {
  expect(await chartReadme(readme, values)).toBe(readme)
})

test('a value without a description is told', () => {
  expect(() => documentedValues('a:\n  # What b is.\n  b: 1\n  c: 2\n')).toThrow(
    'a.c has no comment',
  )
})

const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

test.each(blocks)('values that the README shows are accepted: %#', (text) => {
  const { ok, text: said } = template(parse(text) as Values)
  expect(ok, said).toBe(true)
})
