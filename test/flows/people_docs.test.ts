import { describe, expect, test } from 'vitest'
import { anchorsOf, linksOf, readPage } from './pages.ts'

const names = ['tenants', 'clients', 'users', 'consent', 'sign-in', 'asvs']
const pages = await Promise.all(names.map((name) => readPage(`docs/${name}.md`)))

describe.each(pages)('$path', (page) => {
  test('has no command and no document that nothing runs or reads', () => {
    const unmarked = page.blocks.filter(
      ({ language, mark }) => mark === undefined && ['sh', 'yaml'].includes(language),
    )
    expect(unmarked.map(({ text }) => text)).toEqual([])
  })

  test('has links that lead somewhere', async () => {
    for (const link of linksOf(page)) {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? page : await readPage(`docs/${file}`)
      if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
    }
  })

  test('stands in the list of pages', async () => {
    const index = await readPage('docs/README.md')
    expect(linksOf(index)).toContain(page.path.replace('docs/', ''))
  })
})
