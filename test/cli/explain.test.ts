import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { runInProcess } from '../fakes/io.ts'

const policy = `agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
  - name: researcher
    proof: { provider: prod, namespace: research, serviceAccount: '*' , uid: pinned }
  - name: mailer
    proof: { provider: prod, namespace: mail, serviceAccount: mailer }
  - name: twin
    proof: { provider: prod, namespace: twins, serviceAccount: t }
  - name: other-twin
    proof: { provider: prod, namespace: twins, serviceAccount: '*' }
  - name: ci
    proof: { provider: github, sub: 'repo:octo-org/octo-repo:ref:refs/heads/*' }
`

// Commands go by the clock of the machine.
const cluster = new FakeCluster(() => Math.floor(Date.now() / 1000))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-explain-'))
  const authority = {
    origin: 'https://auth.example',
    store: { file: join(folder, 'there-is-none.sqlite') },
    keyEncryptionFile: join(folder, 'there-is-none'),
    tenants: [
      {
        slug: 'acme-corp',
        policy: join(folder, 'policy.yaml'),
        providers: [
          {
            name: 'prod',
            kind: 'kubernetes',
            issuers: [cluster.issuer],
            keys: { inline: await cluster.jwks() },
          },
          { name: 'github', kind: 'oidc', issuers: ['https://token.actions.example'] },
        ],
      },
    ],
  }
  await writeFile(join(folder, 'lumo.json'), JSON.stringify({ roles: ['authority'], authority }))
  await writeFile(join(folder, 'policy.yaml'), policy)
})

afterAll(() => rm(folder, { recursive: true }))

const explain = async (option: '--proof' | '--claims', content: string, ...more: string[]) => {
  await writeFile(join(folder, 'input'), content)
  return runInProcess(['explain', '--config', 'lumo.json', option, 'input', ...more], {
    workingFolder: folder,
  })
}

const account = (namespace: string, name: string): TokenChanges => ({
  claims: { sub: `system:serviceaccount:${namespace}:${name}` },
  bound: { namespace, serviceaccount: { name, uid: 'u' } },
})

const mailerDoesNotFit = (namespace: string, name: string) =>
  `agent mailer: does not fit: namespace must be "mail", the proof has "${namespace}"; serviceAccount must be "mailer", the proof has "${name}"`

describe('a proof that is good', () => {
  test('and fits one agent: each rule says what it says to it', async () => {
    const { exitCode, stdout, stderr } = await explain('--proof', await cluster.token())
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.slice(0, 3)).toEqual([
      'proof: verified by provider prod: kubernetes system:serviceaccount:research:doc-analyst',
      'agent doc-analyst: fits',
      'agent researcher: does not fit: uid must be "pinned", the proof has "11111111-1111-1111-1111-111111111111"',
    ])
    expect(lines).toContain(mailerDoesNotFit('research', 'doc-analyst'))
    expect(lines.slice(-2)).toEqual([
      'agents of other providers: 1',
      'result: agent doc-analyst (client_id doc-analyst, sub agent:doc-analyst)',
    ])
  })

  test('and fits none', async () => {
    const token = await cluster.token(account('prod', 'doc-analyst'))
    const { exitCode, stdout } = await explain('--proof', token)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^result: nobody$/m)
  })

  test('and fits two, until one is named', async () => {
    const token = await cluster.token(account('twins', 't'))
    const unnamed = await explain('--proof', token)
    expect(unnamed.exitCode).toBe(1)
    expect(unnamed.stdout).toMatch(/^result: nobody: ambiguous/m)
    const named = await explain('--proof', token, '--client', 'twin')
    expect(named.exitCode).toBe(0)
    expect(named.stdout).toMatch(/^result: agent twin \(client_id twin, sub agent:twin\)$/m)
    const wrong = await explain('--proof', token, '--client', 'mailer')
    expect(wrong.stdout).toMatch(/^result: nobody by the client_id mailer$/m)
  })
})

const PAIRS =
  'provider prod: issuers https://cluster.example; audiences https://auth.example/t/acme-corp/api/v1'

describe('a proof that is refused', () => {
  const cases: readonly (readonly [
    name: string,
    changes: TokenChanges,
    lines: readonly string[],
  ])[] = [
    [
      'of an issuer that only a slash tells apart',
      { claims: { iss: 'https://cluster.example/' } },
      [
        'proof: refused: issuer_unknown: no provider has this issuer',
        'it says: issuer "https://cluster.example/"; audience ["https://auth.example/t/acme-corp/api/v1"]',
        PAIRS,
      ],
    ],
    [
      'for another audience',
      { claims: { aud: ['https://other.example'] } },
      [
        'proof: refused: audience_mismatch: made for another audience',
        'it says: issuer "https://cluster.example"; audience ["https://other.example"]',
        PAIRS,
      ],
    ],
    [
      'bound to no pod',
      { bound: { pod: undefined, node: undefined } },
      ['proof: refused by provider prod: not_pod_bound: bound to no pod'],
    ],
    [
      'with a key that is not the issuer’s',
      { header: { kid: 'other' } },
      ['proof: refused by provider prod: key_unknown: the issuer has no such key'],
    ],
    [
      'that lives too long',
      { claims: { exp: Math.floor(Date.now() / 1000) + 90_000 } },
      ['proof: refused by provider prod: lifetime_too_long: the proof lives longer than 24 hours'],
    ],
  ]
  test.each(cases)('%s', async (_, changes, lines) => {
    const token = await cluster.token(changes)
    const { exitCode, stdout } = await explain('--proof', token)
    expect(exitCode).toBe(1)
    expect(stdout.split('\n').slice(0, lines.length)).toEqual(lines)
    for (const part of token.split('.')) expect(stdout).not.toContain(part)
  })

  test('that is no token', async () => {
    const { exitCode, stdout } = await explain('--proof', 'a secret that was put there')
    expect({ exitCode, stdout }).toEqual({
      exitCode: 1,
      stdout: 'proof: refused: malformed: not a compact JWS\n',
    })
  })
})

describe('claims', () => {
  test('are judged as if they were signed, without a store and without keys', async () => {
    const { exitCode, stdout } = await explain('--claims', JSON.stringify(cluster.claims()))
    expect(exitCode).toBe(0)
    expect(stdout.split('\n')[0]).toBe(
      'proof: not verified, taken as signed by provider prod: kubernetes system:serviceaccount:research:doc-analyst',
    )
  })

  test('of an issuer whose keys lie far away', async () => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: 'https://token.actions.example',
      aud: 'https://auth.example/t/acme-corp/api/v1',
      sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
      iat: now,
      exp: now + 300,
    }
    const { exitCode, stdout } = await explain('--claims', JSON.stringify(claims))
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^agent ci: fits$/m)
  })

  test.each([
    ['no JSON', 'x', 'lumo-broker: the claims cannot be read: not JSON\n'],
    [
      'a member twice',
      '{"a":1,"a":2}',
      'lumo-broker: the claims cannot be read: a member stands twice\n',
    ],
  ])('that are %s', async (_, text, stderr) => {
    expect(await explain('--claims', text)).toEqual({ exitCode: 1, stdout: '', stderr })
  })

  test('that are a list', async () => {
    expect(await explain('--claims', '[]')).toEqual({
      exitCode: 1,
      stdout: 'proof: refused: malformed: the claims are no JSON object\n',
      stderr: '',
    })
  })
})

test('a proof may come by standard input', async () => {
  const ran = await runInProcess(['explain', '--config', 'lumo.json', '--proof', '-'], {
    workingFolder: folder,
    input: `${await cluster.token()}\n`,
  })
  expect(ran.exitCode).toBe(0)
})

test('one of the two is asked for', async () => {
  const ran = await runInProcess(['explain', '--config', 'lumo.json'], { workingFolder: folder })
  expect(ran).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'lumo-broker: explain takes --proof FILE or --claims FILE; see lumo-broker help\n',
  })
})
