import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checks } from '../../src/endpoint/authz/check.ts'
import { compileRoles } from '../../src/policy/permissions/roles.ts'
import { firstColumn, readPage } from './pages.ts'
import { CLIENT, curl, seedAuthority } from './seed_authority.ts'
import { argumentsOf, page as seedPage } from './seed_page.ts'

const page = await readPage('docs/permissions.md')
const textOf = (mark: string): string =>
  page.blocks.find((block) => block.mark === mark)?.text ?? ''

test('the roles of the page give what they say', async () => {
  const files = [{ path: 'roles.yaml', text: textOf('roles') }]
  const roles = compileRoles(files, [{ sub: 'user_b', roles: ['editor'] }])
  const asked = ['document.view', 'document.edit']
  const may = (kind: 'user' | 'client' | 'agent', id: string) => roles.check({ kind, id }, asked)
  expect(await may('client', CLIENT)).toEqual([true, false])
  expect(await may('user', 'user_a')).toEqual([true, true])
  expect(await may('user', 'user_b')).toEqual([true, true])
  expect(await may('agent', 'orchestrator')).toEqual([true, true])
  expect(await may('client', 'orchestrator')).toEqual([false, false])
})

test('its command is answered as it shows', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-permissions-'))
  await writeFile(join(folder, 'roles.yaml'), textOf('roles'))
  const seed = await seedAuthority(folder)
  onTestFinished(async () => {
    await seed.stop()
    await rm(folder, { recursive: true })
  })
  const { access_token: token } = await seed.run(seedPage.quickstart.command)
  const answer = await curl(
    argumentsOf(textOf('run'), {
      'https://auth.example.com': seed.origin,
      YOUR_ACCESS_TOKEN: String(token),
    }),
  )
  const shown = page.blocks.find(({ language }) => language === 'json')
  expect(JSON.parse(answer)).toEqual(JSON.parse(shown?.text ?? ''))
})

test('it names every call', () => {
  expect(firstColumn(page, 'call')).toEqual([
    ...checks.map((which) => `POST …/authz/${which}`),
    'GET …/authz/permissions',
  ])
})
