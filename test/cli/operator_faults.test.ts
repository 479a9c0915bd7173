import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NATIVE_CALLBACK } from '../fakes/peopled_authority.ts'
import { operator, type Operator } from './operator.ts'

let running: Operator

beforeEach(async () => {
  running = await operator()
})

afterEach(() => running.authority.stop())

const inFolder = (name: string, text: string) =>
  writeFile(join(running.authority.folder, name), text)

describe('a trust policy that is broken', () => {
  beforeEach(() => inFolder('policy.yaml', 'agents: 5'))

  test.each([
    ['a user', ['--user', 'user_a']],
    ['a client', ['--client', 'web']],
  ])('does not keep %s from being revoked', async (_name, flags) => {
    const token = await running.authority.userToken()
    await running.done('revoke', ...flags)
    expect(await running.authority.introspect(token)).toEqual({ active: false })
  })

  test('does not keep a user from being disabled', async () => {
    await running.done('users', 'disable', 'user_a')
    expect(await running.done('users', 'list')).toMatch(/^user_a .*disabled$/m)
  })

  test.each([
    ['an agent is revoked', ['revoke', '--agent', 'loner']],
    ['a client is added', ['clients', 'add']],
    ['a grant is added', ['grants', 'add', '--user', 'user_a', '--agent', 'loner', '--scope', 'a']],
  ])('is told where %s, which needs it', async (_name, given) => {
    const { exitCode, stdout, stderr } = await running.command(...given)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^lumo-broker: .*policy\.yaml: agents: must be array\n$/)
  })
})

describe('clients', () => {
  const key = { kty: 'OKP', crv: 'Ed25519', kid: 'a', x: 'a' }
  const byKey = (jwk: object) =>
    JSON.stringify({ methods: ['private_key_jwt'], jwks: { keys: [jwk] } })

  const refused: readonly (readonly [name: string, text: string, sentence: string])[] = [
    [
      'pods of a provider that is not there',
      'methods: [federated_jwt]\nproof: { provider: nowhere, namespace: a, serviceAccount: b }\n',
      'proof.provider: the tenant has no provider of this name',
    ],
    [
      'a private key',
      byKey({ ...key, d: 'private' }),
      'jwks.keys[0]: is a private key: only its public part belongs here',
    ],
    [
      'a symmetric key',
      byKey({ kty: 'oct', kid: 'a', k: 'private' }),
      'jwks.keys[0]: is a private key: only its public part belongs here',
    ],
    ['a setting that is not there', 'secret: private\n', 'secret: there is no such setting'],
  ]

  test.each(refused)('refused: %s', async (_name, text, sentence) => {
    await inFolder('registration.yaml', text)
    const ran = await running.command('clients', 'add', '--registration', 'registration.yaml')
    expect(ran).toEqual({ exitCode: 1, stdout: '', stderr: `lumo-broker: ${sentence}\n` })
    expect(await running.done('clients', 'list')).not.toMatch(/^client_/m)
  })

  test.each([['--public'], ['--scope', 'a'], ['--grant-type', 'refresh_token']])(
    'refused: a file beside %s, which would not count',
    async (...option) => {
      await inFolder('registration.yaml', '{}')
      const given = ['--registration', 'registration.yaml', ...option]
      expect(await running.command('clients', 'add', ...given)).toMatchObject({ exitCode: 2 })
    },
  )

  test('who has the id of one that was removed gets none of its tokens', async () => {
    const { authority, done } = running
    const native = ['--id', 'native', '--public', '--redirect-uri', NATIVE_CALLBACK]
    const may = ['--scope', 'openid', '--grant-type', 'authorization_code']
    const add = () => done('clients', 'add', ...native, ...may, '--grant-type', 'refresh_token')
    await add()
    const verifier = 'v'.repeat(43)
    const request = {
      clientId: 'native',
      redirectUri: NATIVE_CALLBACK,
      scope: 'openid',
      codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
      codeChallengeMethod: 'S256',
    }
    const own = { client_id: 'native' }
    const redeemed = { ...own, code_verifier: verifier, redirect_uri: NATIVE_CALLBACK }
    const { json } = await authority.redeem(await authority.code(request), redeemed, {})
    expect(await authority.introspect(json['access_token'])).toMatchObject({ active: true })
    await done('clients', 'remove', 'native')
    await add()
    expect(await authority.introspect(json['access_token'])).toEqual({ active: false })
    const refreshed = await authority.refresh(json['refresh_token'], own, {})
    expect(refreshed.json).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('revoke', () => {
  test.each(['agent', 'client', 'user', 'grant', 'jti'])(
    'an empty --%s is refused: it ends nothing',
    async (kind) => {
      expect(await running.command('revoke', `--${kind}`, '')).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: `lumo-broker: --${kind} must not be empty; see lumo-broker help\n`,
      })
    },
  )
})

describe('what is named and is not there', () => {
  test.each([
    ['--agent', 'nobody', 'no agent of that name is in the policy'],
    ['--jti', 'nope', 'no token of that id was issued here in the last 24 h'],
  ])('revoke %s %s ends it nevertheless, and warns', async (flag, value, sentence) => {
    const revoked = {
      exitCode: 0,
      stdout: `revoked: ${flag.slice(2)} ${value}\nVerifiers that work offline see nothing of it until the tokens expire.\n`,
      stderr: `lumo-broker: warning: ${sentence}\n`,
    }
    expect(await running.command('revoke', flag, value)).toEqual(revoked)
    // What the trail says of the command itself is no token.
    expect(await running.command('revoke', flag, value)).toEqual(revoked)
  })

  test('audit show says that there is nothing', async () => {
    await running.authority.userToken()
    expect(await running.command('audit', 'show', 'nope')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'lumo-broker: warning: the audit trail of tenant acme-corp has no row of that ID\n',
    })
  })
})

test.each([
  ['clients', ['clients', 'list']],
  ['explain', ['explain', '--claims', '-']],
])('%s names the file that a fault is in', async (_name, given) => {
  await inFolder('lumo.json', '{"roles":["authority"]}')
  expect(await running.command(...given)).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'lumo-broker: lumo.json: authority: must be given with the role authority\n',
  })
})

describe('audit', () => {
  const overwrite = (text: string) => {
    const database = new DatabaseSync(join(running.authority.folder, 'authority.sqlite'))
    database.prepare('UPDATE audit_rows SET text = ?').run(text)
    database.close()
  }

  test('a row that is no event any more is passed over where one is looked for', async () => {
    await running.authority.userToken()
    overwrite('no event')
    expect(await running.command('audit', 'show', 'some-jti')).toMatchObject({
      exitCode: 0,
      stdout: '',
    })
  })

  test('a row that was changed does nothing to the terminal', async () => {
    await running.authority.userToken()
    overwrite('\u001b[2J\u009b1m\n')
    expect(await running.done('audit', 'tail', '--count', '1')).toBe('\\u001b[2J\\u009b1m\\u000a\n')
  })

  test.each(['0', '-1', '1.5', 'x', '100001'])('--count %s is refused', async (count) => {
    expect(await running.command('audit', 'tail', `--count=${count}`)).toMatchObject({
      exitCode: 2,
      stderr: 'lumo-broker: --count must be a number up to 100000; see lumo-broker help\n',
    })
  })
})
