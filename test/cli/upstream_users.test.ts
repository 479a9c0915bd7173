import { afterAll, beforeAll, expect, test } from 'vitest'
import { runInProcess, type Ran } from '../fakes/io.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'

const upstreams = [
  { name: 'corp', label: 'Corp', issuer: 'https://login.corp.example', clientId: 'lumo' },
]

let authority: Peopled

beforeAll(async () => {
  authority = await peopledAuthority({ tenant: { upstreams } })
  await authority.withStore((store) =>
    store.putUpstreamUser({
      tenant: 'acme-corp',
      issuer: 'https://gone.example',
      subject: 'g',
      sub: 'upstream:gone',
      email: 'gone@example.com',
      emailVerified: true,
      name: undefined,
      createdAt: 0,
    }),
  )
})

afterAll(() => authority.stop())

function users(...given: readonly string[]): Promise<Ran> {
  const place = ['--config', 'lumo.json', '--tenant', 'acme-corp']
  return runInProcess(['users', ...given, ...place], { workingFolder: authority.folder })
}

test('somebody whom another provider signs in is let in, listed, and let out', async () => {
  const added = await users('add', '--upstream', 'corp', '--subject', '00u-1')
  const [, sub = ''] = /^sub: (upstream:[0-9a-f-]{36})\n$/.exec(added.stdout) ?? []
  expect([added.exitCode, sub]).toEqual([0, expect.stringMatching(/^upstream:/)])
  const kept = await authority.withStore((store) => store.upstreamUser('acme-corp', sub))
  expect(kept).toMatchObject({ issuer: 'https://login.corp.example', subject: '00u-1' })
  expect((await users('list')).stdout).toContain(`${sub}  -  active  corp 00u-1\n`)
  expect((await users('disable', sub)).stdout).toBe(`${sub} is disabled\n`)
  expect((await users('list')).stdout).toContain(`${sub}  -  disabled  corp 00u-1\n`)
  expect((await users('enable', sub)).stdout).toBe(`${sub} is active\n`)
})

test('the users of a provider that was taken out are out', async () => {
  expect((await users('list')).stdout).toContain(
    'upstream:gone  gone@example.com  disabled  https://gone.example g\n',
  )
})

test.each([
  [
    'of no provider',
    ['--upstream', 'nobody', '--subject', 'a'],
    'the tenant has no upstream of this name',
  ],
  ['of no form', ['--upstream', 'corp', '--subject', 'a\nb'], '--subject is no `sub`'],
  ['without a subject', ['--upstream', 'corp'], '--subject must be given'],
  ['by an address', ['--upstream', 'corp', '--email', 'a@b.c'], 'there is no option --email here'],
])('somebody is refused: %s', async (_name, given, sentence) => {
  const { exitCode, stderr } = await users('add', ...given)
  expect([exitCode !== 0, stderr.includes(sentence)]).toEqual([true, true])
})

test('nobody is let in twice', async () => {
  const given = ['add', '--upstream', 'corp', '--subject', 'twice']
  const sub = (await users(...given)).stdout.slice('sub: '.length).trim()
  expect((await users(...given)).stderr).toBe(`lumo-broker: they are a user already: ${sub}\n`)
})
