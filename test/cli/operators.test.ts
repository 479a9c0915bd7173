import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { runInProcess } from '../fakes/io.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { basic, docs } from '../fakes/running_authority.ts'

let clock: FakeClock
let authority: Peopled

beforeEach(async () => {
  // Commands go by the clock of the machine.
  clock = new FakeClock(Date.now())
  authority = await peopledAuthority({ clock })
})

afterEach(() => authority.stop())

/** Runs a command for acme-corp beside the running authority. */
function command(...given: readonly string[]) {
  const place = [
    '--config',
    'lumo.json',
    ...(given.includes('--tenant') ? [] : ['--tenant', 'acme-corp']),
  ]
  return runInProcess([...given, ...place], { workingFolder: authority.folder })
}

async function done(...given: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await command(...given)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

const field = (stdout: string, name: string) =>
  new RegExp(`^${name}: (.+)$`, 'm').exec(stdout)?.[1] ?? ''
const asksFor = async (id: string, secret: string) =>
  (await authority.post({ grant_type: 'client_credentials' }, basic(id, secret))).status

/** The running authority looks at its keys once a second. */
async function aSecondLater(): Promise<void> {
  clock.advance(1_000)
  await expect
    .poll(async () => (await jwks()).length, { interval: 20, timeout: 5_000 })
    .toBeGreaterThan(0)
}

async function jwks(): Promise<readonly string[]> {
  const { json } = await authority.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  return (json['keys'] as { kid: string }[]).map(({ kid }) => kid)
}

describe('clients', () => {
  test('one that was added can be used at once, with a secret that is shown once', async () => {
    const stdout = await done('clients', 'add', '--scope', 'read:reports')
    const [id, secret] = [field(stdout, 'client_id'), field(stdout, 'client_secret')]
    expect(id).toMatch(/^client_[0-9a-f]{16}$/)
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    const form = { grant_type: 'client_credentials' }
    const { json } = await authority.post(form, basic(id, secret))
    expect(json).toMatchObject({ scope: 'read:reports' })
    expect(await asksFor(id, 'another')).toBe(401)
    const listed = await done('clients', 'list')
    expect(listed).toContain(id)
    expect(listed).toMatch(/^web {2}.*configuration$/m)
    expect(listed).not.toContain(secret)
  })

  test('a rotated secret is good beside the one before it, and the first of three is not', async () => {
    const first = await done('clients', 'add', '--id', 'rotating')
    const second = await done('clients', 'rotate-secret', 'rotating')
    const secrets = [first, second].map((stdout) => field(stdout, 'client_secret'))
    expect(await Promise.all(secrets.map((one) => asksFor('rotating', one)))).toEqual([200, 200])
    secrets.push(field(await done('clients', 'rotate-secret', 'rotating'), 'client_secret'))
    expect(new Set(secrets).size).toBe(3)
    expect(await Promise.all(secrets.map((one) => asksFor('rotating', one)))).toEqual([
      401, 200, 200,
    ])
  })

  test('one that was removed is nobody, and its tokens are not active', async () => {
    const secret = field(await done('clients', 'add', '--id', 'leaving'), 'client_secret')
    const form = { grant_type: 'client_credentials' }
    const { json } = await authority.post(form, basic('leaving', secret))
    expect(await authority.introspect(json['access_token'])).toMatchObject({ active: true })
    await done('clients', 'remove', 'leaving')
    expect(await asksFor('leaving', secret)).toBe(401)
    expect(await authority.introspect(json['access_token'])).toEqual({ active: false })
  })

  test('whoever gets the id of one that was removed has nothing of what users gave it', async () => {
    await done('clients', 'add', '--id', 'again')
    const now = authority.clock.wall() / 1000
    await authority.withStore(async (store) => {
      const ofUser = { tenant: 'acme-corp', user: 'user_a', createdAt: 0 }
      await store.putConsent({ ...ofUser, client: 'again', given: { '': ['read:reports'] } })
      await store.openApproval({
        ...ofUser,
        id: 'again-1',
        agent: 'again',
        scopes: [],
        chain: [],
        status: 'pending',
        createdAt: Math.floor(now),
        expiresAt: Math.floor(now) + 600,
      })
    })
    await done('clients', 'remove', 'again')
    await authority.withStore(async (store) => {
      expect(await store.consent('acme-corp', 'user_a', 'again')).toBeUndefined()
      expect(await store.approval('acme-corp', 'again-1')).toBeUndefined()
    })
  })

  test('a registration in a file is taken as the configuration takes it', async () => {
    const registration = `methods: [none]
grantTypes: [authorization_code, refresh_token]
redirectUris: [https://native.example/callback]
grants: [{ scopes: [openid] }]
`
    await writeFile(join(authority.folder, 'native.yaml'), registration)
    const stdout = await done('clients', 'add', '--id', 'native', '--registration', 'native.yaml')
    expect(stdout).toBe('client_id: native\n')
    expect(await done('clients', 'list')).toContain(
      'native  none  authorization_code,refresh_token',
    )
  })

  const refused: readonly (readonly [name: string, given: readonly string[], sentence: string])[] =
    [
      [
        'an id of the configuration',
        ['add', '--id', 'web'],
        'web is taken by a client of the configuration',
      ],
      ['the sub of a user', ['add', '--id', 'user_a'], 'user_a is taken by a user'],
      [
        'the client_id of an agent',
        ['add', '--id', 'specialist'],
        'specialist is taken by an agent of the trust policy',
      ],
      ['an id that is none', ['add', '--id', 'two words'], '--id is no client id'],
      [
        'a public client with client_credentials',
        ['add', '--public'],
        'grantTypes: a public client cannot have client_credentials',
      ],
      [
        'a redirect URI that others can read',
        ['add', '--redirect-uri', 'http://app.example/'],
        'redirectUris[0]: must be https, http on the loopback, or a private scheme with a dot, without a fragment',
      ],
      [
        'to rotate what stands in the configuration',
        ['rotate-secret', 'web'],
        'web stands in the configuration: change it there',
      ],
      [
        'to remove what stands in the configuration',
        ['remove', 'web'],
        'web stands in the configuration: change it there',
      ],
      ['to remove nobody', ['remove', 'nobody'], 'there is no client nobody'],
    ]

  for (const [name, given, sentence] of refused) {
    test(`refused: ${name}`, async () => {
      expect(await command('clients', ...given)).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `lumo-broker: ${sentence}\n`,
      })
    })
  }

  test('refused: an id that was added before', async () => {
    await done('clients', 'add', '--id', 'once')
    expect((await command('clients', 'add', '--id', 'once')).stderr).toBe(
      'lumo-broker: once is taken by another client\n',
    )
  })
})

describe('keys', () => {
  test('a new one is published within a second, signs after six minutes, and the old one can go', async () => {
    const [first = ''] = await jwks()
    expect(await done('keys', 'list')).toBe(`${first}  ES256  signs\n`)
    expect((await command('keys', 'retire', first)).stderr).toBe(
      'lumo-broker: it is the only key that signs: rotate first, and wait until the new one signs\n',
    )
    const [next = ''] = (await done('keys', 'rotate')).split(' ')
    await aSecondLater()
    await expect
      .poll(jwks, { interval: 20, timeout: 5_000 })
      .toEqual(expect.arrayContaining([first, next]))
    const signedBy = async () => decodeProtectedHeader(await authority.clientToken('service_b')).kid
    expect(await signedBy()).toBe(first)
    clock.advance(361_000)
    // The store is looked at meanwhile, in its own time.
    await expect.poll(signedBy, { interval: 20, timeout: 10_000 }).toBe(next)
  })

  test.each(['-dash', '--two-dashes'])('a kid may begin as an option does: %s', async (kid) => {
    expect((await command('keys', 'retire', kid)).stderr).toBe(
      'lumo-broker: there is no such key, or it is retired already\n',
    )
  })

  test('one that is not there cannot be retired', async () => {
    expect(await command('keys', 'retire', 'nothing')).toMatchObject({
      exitCode: 1,
      stderr: 'lumo-broker: there is no such key, or it is retired already\n',
    })
  })
})

describe('grants', () => {
  test('what a user allows makes delegation possible, within it, and no longer when it is taken back', async () => {
    const form = {
      subject_token: await authority.userToken({ scope: 'read:documents write:documents' }),
      actor_token: await authority.agentToken('doc-analyst'),
    }
    const delegate = async () => (await authority.exchange(form)).json
    const asked = await delegate()
    expect(asked).toMatchObject({ error: 'access_denied', code: 'consent_required' })
    expect(asked['expires_in']).toBe(600)
    // Who tries again waits for the same answer, and the operator sees who asks.
    expect((await delegate())['approval']).toBe(asked['approval'])
    expect(await done('grants', 'list')).toMatch(/^user_a {2}doc-analyst {2}.*asked for, until /m)
    const allow = ['--user', 'user_a', '--agent', 'doc-analyst']
    await done('grants', 'add', ...allow, '--scope', 'read:documents')
    expect(await delegate()).toMatchObject({ scope: 'read:documents' })
    expect(await done('grants', 'list')).toContain('user_a  doc-analyst  read:documents')
    await done('grants', 'remove', ...allow)
    expect(await delegate()).toMatchObject({ code: 'consent_required' })
  })

  const refused = [
    [
      'nobody who allows',
      ['--user', 'nobody', '--agent', 'doc-analyst', '--scope', 'a'],
      'there is no user nobody',
    ],
    [
      'nobody who is allowed',
      ['--user', 'user_a', '--agent', 'nobody', '--scope', 'a'],
      'there is no agent or client nobody',
    ],
  ] as const

  for (const [name, given, sentence] of refused) {
    test(`refused: ${name}`, async () => {
      expect((await command('grants', 'add', ...given)).stderr).toBe(`lumo-broker: ${sentence}\n`)
    })
  }
})

describe('users', () => {
  test('that are local are added with a password, once each, get another one, and are let out', async () => {
    const added = await done('users', 'add', '--email', 'Zoe@Example.com', '--name', 'Zoe')
    const [, sub = '', password = ''] = /^sub: (\S+)\npassword: (\S{24})\n$/.exec(added) ?? []
    expect(sub).toMatch(/^local:/)
    expect(await done('users', 'list')).toContain(`${sub}  zoe@example.com  active  local`)
    const again = await done('users', 'reset', sub)
    expect(again).toMatch(/^password: \S{24}\n$/)
    expect(again).not.toContain(password)
    await done('users', 'disable', sub)
    expect(await done('users', 'list')).toContain(`${sub}  zoe@example.com  disabled  local`)
  })

  test('one who is disabled has nothing any more, and what was out stays ended', async () => {
    const { access_token: token, refresh_token: refresh } = await authority.signIn()
    await done('users', 'disable', 'user_a')
    expect(await done('users', 'list')).toContain('user_a  alice@acme.example  disabled')
    expect(await authority.introspect(token)).toEqual({ active: false })
    expect((await authority.refresh(refresh)).json).toMatchObject({ error: 'invalid_grant' })
    await done('users', 'enable', 'user_a')
    expect(await authority.introspect(token)).toEqual({ active: false })
    expect((await authority.refresh(refresh)).json).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('revoke', () => {
  test('of a user ends where they are signed in', async () => {
    const session = {
      tenant: 'acme-corp',
      hash: Buffer.alloc(32, 5),
      user: 'user_b',
      authTime: 0,
      request: undefined,
      expiresAt: Number.MAX_SAFE_INTEGER,
    }
    await authority.withStore((store) => store.keepSession(session))
    await done('revoke', '--user', 'user_b')
    expect(
      await authority.withStore((store) => store.session('acme-corp', session.hash)),
    ).toBeUndefined()
  })

  const claimOf = (token: string, name: string) => String(decodeJwt(token)[name])

  const kinds: readonly {
    readonly name: string
    readonly token: () => Promise<string>
    readonly flags: (token: string) => readonly string[]
  }[] = [
    {
      name: 'an agent',
      token: () => authority.agentToken('loner'),
      flags: () => ['--agent', 'loner'],
    },
    {
      name: 'a client',
      token: () => authority.clientToken('service_b'),
      flags: () => ['--client', 'service_b'],
    },
    { name: 'a user', token: () => authority.userToken(), flags: () => ['--user', 'user_a'] },
    {
      name: 'a grant',
      token: () => authority.userToken(),
      flags: (token) => ['--grant', claimOf(token, 'grant_id')],
    },
    {
      name: 'a token',
      token: () => authority.userToken(),
      flags: (token) => ['--jti', claimOf(token, 'jti')],
    },
    {
      name: 'a tenant',
      token: () => authority.userToken(),
      flags: () => ['--tenant', 'acme-corp'],
    },
  ]

  for (const { name, token, flags } of kinds) {
    test(`${name}: what was issued is no longer active`, async () => {
      const issued = await token()
      const other = await authority.clientToken('bystander')
      expect(await authority.introspect(issued)).toMatchObject({ active: true })
      // The clock of the command is that of the machine, which may be a moment ahead.
      const stdout = await done('revoke', ...flags(issued))
      expect(stdout).toContain('Verifiers that work offline see nothing of it')
      expect(await authority.introspect(issued)).toEqual({ active: false })
      const untouched = name === 'a tenant' ? { active: false } : { active: true }
      expect(await authority.introspect(other)).toMatchObject(untouched)
    })
  }

  test('an agent: what it holds for a user ends with it', async () => {
    await authority.allow('user_a', 'doc-analyst', ['read:documents'])
    const { json } = await authority.exchange({
      subject_token: await authority.userToken({ scope: 'read:documents' }),
      actor_token: await authority.agentToken('doc-analyst'),
      audience: docs,
    })
    expect(await authority.introspect(json['access_token'])).toMatchObject({ active: true })
    await done('revoke', '--agent', 'doc-analyst')
    expect(await authority.introspect(json['access_token'])).toEqual({ active: false })
  })

  test('two at once are refused, and none', async () => {
    for (const flags of [['--user', 'a', '--client', 'b'], []]) {
      const place = ['--config', 'lumo.json']
      const ran = await runInProcess(['revoke', ...flags, ...place], {
        workingFolder: authority.folder,
      })
      expect(ran).toMatchObject({ exitCode: 2 })
    }
  })
})

describe('audit', () => {
  test('tells what happened, and finds a token by its hash or its jti', async () => {
    const token = await authority.userToken()
    const { jti } = decodeJwt(token)
    const shown = await done('audit', 'show', String(jti))
    const rows = shown.trim().split('\n')
    expect(rows.map((row) => JSON.parse(row) as unknown)).toMatchObject([
      { event: 'grant.spent', jti },
      { event: 'token.issued', subject: 'user_a', jti },
    ])
    const tail = await done('audit', 'tail', '--count', '1')
    expect(JSON.parse(tail)).toMatchObject({ jti })
    expect(tail).not.toContain(token)
  })

  test('a row that was changed behind its back is found', async () => {
    await authority.userToken()
    expect(await done('audit', 'verify')).toContain('the audit trail is intact\n')
    const database = new DatabaseSync(join(authority.folder, 'authority.sqlite'))
    database.exec(`UPDATE audit_rows SET text = replace(text, 'user_a', 'user_b')`)
    database.close()
    const { exitCode, stdout } = await command('audit', 'verify')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('the audit trail was changed\n')
  })
})

test('each command is told apart from what it is not', async () => {
  for (const name of ['clients', 'keys', 'grants', 'users', 'audit']) {
    expect(await command(name, 'dance')).toMatchObject({ exitCode: 2 })
  }
})
