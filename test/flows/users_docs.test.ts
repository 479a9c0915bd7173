import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig } from '../../src/config/load.ts'
import { userSchema } from '../../src/config/user.ts'
import { FakeClock } from '../fakes/clock.ts'
import { ISSUER, peopledAuthority } from '../fakes/peopled_authority.ts'
import { operate } from './operating.ts'
import { readPage } from './pages.ts'

const page = await readPage('docs/users.md')
const textOf = (mark: string): string =>
  page.blocks.find((block) => block.mark === mark)?.text ?? ''

test('the users of the page are some, with every setting', () => {
  const { users } = parse(textOf('users')) as {
    users: readonly Readonly<Record<string, unknown>>[]
  }
  const { authority } = resolveConfig(
    {
      roles: ['authority'],
      authority: {
        origin: new URL(ISSUER).origin,
        store: { file: 'authority.sqlite' },
        keyEncryptionFile: 'key',
        tenants: [{ slug: 'acme-corp', users }],
      },
    },
    {},
  )
  expect(authority?.tenants[0]?.users).toEqual(users)
  const shown = new Set(users.flatMap((user) => Object.keys(user)))
  expect([...shown].toSorted()).toEqual(Object.keys(userSchema.properties).toSorted())
})

test('its command lets somebody in whom another provider signs in', async ({ onTestFinished }) => {
  const upstreams = [
    { name: 'corp', label: 'Corp', issuer: 'https://login.example.com', clientId: 'lumo' },
  ]
  const authority = await peopledAuthority({ tenant: { upstreams } })
  onTestFinished(() => authority.stop())
  const [done] = await operate(textOf('upstream'), authority.folder)
  expect(done?.stdout).toMatch(/^sub: upstream:[0-9a-f-]{36}\n$/)
})

test('its commands end what the page says that they end, one after the other', async ({
  onTestFinished,
}) => {
  const authority = await peopledAuthority({ clock: new FakeClock(Date.now()) })
  onTestFinished(() => authority.stop())
  const lines = page.blocks
    .filter(({ mark }) => mark === 'operate')
    .flatMap(({ text }) => text.trim().split('\n'))
  let sub = ''
  let token = ''
  const seen: (readonly [string, unknown])[] = []
  for (const line of lines) {
    const [done] = await operate(line, authority.folder, { SUB: sub })
    sub ||= /^sub: (\S+)$/m.exec(done?.stdout ?? '')?.[1] ?? ''
    token ||= await authority.userToken({}, sub)
    seen.push([done?.command ?? '', (await authority.introspect(token))['active']])
  }
  expect(sub).toMatch(/^local:/)
  expect(seen).toEqual([
    ['users add', true],
    ['users list', true],
    ['users reset', true],
    ['users disable', false],
    ['users enable', false],
    ['revoke --user', false],
  ])
})
