import { access, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('every bound that SECURITY.md names has its test', async () => {
  const text = await readFile(`${root}SECURITY.md`, 'utf8')
  const named = [...text.matchAll(/`(test\/[\w/.]+)`/g)].map(([, file = '']) => file)
  expect(named.length).toBeGreaterThan(20)
  for (const file of named) await expect(access(root + file), file).resolves.toBeUndefined()
})
