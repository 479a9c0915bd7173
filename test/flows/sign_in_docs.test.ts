import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { readPage } from './pages.ts'

const page = await readPage('docs/sign-in.md')

test('the client of the page is one', () => {
  const client: unknown = parse(page.blocks.find(({ mark }) => mark === 'client')?.text ?? '')
  const files = [{ path: 'clients.yaml', text: JSON.stringify({ clients: [client] }) }]
  const around = { providers: [], clients: [], users: [] }
  expect(parseClientFiles(files, around).map(({ id }) => id)).toEqual(['web'])
})
