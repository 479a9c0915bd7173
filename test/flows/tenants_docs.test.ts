import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { FakeClock } from '../fakes/clock.ts'
import { runInProcess } from '../fakes/io.ts'
import { peopledAuthority } from '../fakes/peopled_authority.ts'
import { operate } from './operating.ts'
import { firstColumn, readPage } from './pages.ts'

const page = await readPage('docs/tenants.md')
const textOf = (mark: string): string =>
  page.blocks.find((block) => block.mark === mark)?.text ?? ''

test('the configuration of the page has these two tenants', () => {
  const { authority } = resolveConfig(parse(textOf('config')), {})
  expect(authority?.tenants.map(({ slug, issuer }) => [slug, issuer])).toEqual([
    ['acme-corp', 'https://auth.example.com/t/acme-corp/api/v1'],
    ['globex', 'https://auth.example.com/t/globex/api/v1'],
  ])
})

test('its check finds nothing, with the files that it names', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-tenants-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, list] of [
    ['policy', 'agents'],
    ['clients', 'clients'],
    ['roles', 'roles'],
  ] as const) {
    await mkdir(join(folder, 'acme-corp', name), { recursive: true })
    await writeFile(join(folder, 'acme-corp', name, 'all.yaml'), `${list}: []`)
  }
  await writeFile(
    join(folder, 'lumo.yaml'),
    textOf('config').replaceAll('/etc/lumo/acme-corp', `${folder}/acme-corp`),
  )
  const [, ...given] = textOf('check').trim().split(' ')
  const { exitCode, stderr } = await runInProcess(given, { workingFolder: folder })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
})

test('it lists every setting of a tenant', () => {
  const { tenants } = configSchema.properties.authority.properties
  expect(firstColumn(page, 'setting').toSorted()).toEqual(
    Object.keys(tenants.items.properties).toSorted(),
  )
})

test('a tenant whose end is near has nothing any more', async ({ onTestFinished }) => {
  const authority = await peopledAuthority({ clock: new FakeClock(Date.now()) })
  onTestFinished(() => authority.stop())
  const token = await authority.userToken()
  expect(await authority.introspect(token)).toMatchObject({ active: true })
  for (const { mark, text } of page.blocks) {
    if (mark === 'operate') await operate(text, authority.folder)
  }
  expect(await authority.introspect(token)).toEqual({ active: false })
})
