import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig } from '../../src/config/load.ts'
import { anchorsOf, firstColumn, linksOf, readPage } from '../flows/pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const folders = ['python-two-hops', 'node-two-hops', 'proxy-agent', 'mcp-client']
const pages = ['', ...folders.map((folder) => `/${folder}`)].map(
  (folder) => `examples${folder}/README.md`,
)

test.each(pages)('the links and files of %s are there', async (path) => {
  const page = await readPage(path)
  const files = firstColumn(page, 'file')
  for (const link of [...linksOf(page), ...files]) {
    const [file = '', anchor] = link.split('#')
    const target = join(dirname(path), file)
    await access(join(root, target))
    if (anchor !== undefined) expect(anchorsOf(await readPage(target))).toContain(anchor)
  }
})

test('the configuration of the proxy is one, with what the webhook writes beside it', async () => {
  const text = await readFile(join(root, 'examples/proxy-agent/broker.yaml'), 'utf8')
  const environment = { LUMOAUTH_URL: 'https://auth.example.com', LUMOAUTH_TENANT: 'acme-corp' }
  const { broker } = resolveConfig(parse(text), environment)
  expect(broker?.proxy?.routes.map(({ name, forSubject }) => [name, forSubject])).toEqual([
    ['docs', false],
    ['docs-for-user', true],
  ])
})
