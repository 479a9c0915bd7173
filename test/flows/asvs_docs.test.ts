import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { firstColumn, readPage } from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readPage('docs/asvs.md')

/** How many requirements each section of version 5.0.0 has. */
const sections: Readonly<Record<string, number>> = {
  '6.1': 3,
  '6.2': 12,
  '6.3': 8,
  '6.4': 6,
  '6.5': 8,
  '6.6': 4,
  '6.7': 2,
  '6.8': 4,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 3,
  '7.6': 2,
}

test('every requirement of the two chapters stands once, in order', () => {
  const all = Object.entries(sections).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `${section}.${String(index + 1)}`),
  )
  expect(firstColumn(page, 'requirement')).toEqual(all)
})

test('of each it is said whether it is met, and why', () => {
  const rows = page.prose.split('\n').filter((line) => /^\| \d/.test(line))
  for (const row of rows) {
    const [, , level, asks = '', here, why = ''] = row.split('|').map((cell) => cell.trim())
    expect(['1', '2', '3']).toContain(level)
    expect(['met', 'not met', 'does not apply']).toContain(here)
    expect([asks.length > 0, why.length > 0]).toEqual([true, true])
  }
})

test('every file that it names is there', async () => {
  const named = page.code.filter((code) => /^(src|test)\//.test(code))
  expect(named.length).toBeGreaterThan(20)
  for (const file of named) await expect(access(root + file), file).resolves.toBeUndefined()
})
