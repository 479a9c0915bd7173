import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asWeb, NATIVE_CALLBACK } from '../../fakes/peopled_authority.ts'
import { ACCESS_TOKEN, docs, files, JWT, secret } from '../../fakes/running_authority.ts'
import {
  asServiceB,
  claimsOf,
  exchangeWorld,
  granted,
  scopesOf,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World

beforeAll(async () => {
  world = await exchangeWorld()
  await world.allow('user_a', 'doc-analyst', wide.split(' '))
})

afterAll(async () => {
  await world.stop()
})

/** A user's token of the public client. */
async function ofSpa(): Promise<string> {
  const verifier = 'a-verifier-of-more-than-forty-three-characters'
  const redirectUri = NATIVE_CALLBACK
  const code = await world.code({
    clientId: 'spa',
    redirectUri,
    scope: wide,
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    codeChallengeMethod: 'S256',
  })
  const more = { redirect_uri: redirectUri, client_id: 'spa', code_verifier: verifier }
  return String((await world.redeem(code, more, {})).json['access_token'])
}

async function delegated(): Promise<string> {
  const subject = await world.userToken({ scope: wide })
  const actor = await world.agentToken('doc-analyst')
  return granted(await world.ask({ subject_token: subject, actor_token: actor }))
}

const ofUser = () => world.userToken({ scope: wide })

interface Case {
  readonly name: string
  readonly subject: () => Promise<string>
  readonly more: Wish
  readonly headers?: Readonly<Record<string, string>>
  readonly aud: string | readonly string[]
  readonly scope: readonly string[]
  readonly type?: string
}

const rw = ['read:documents', 'write:documents']
const toDocs = { audience: docs }
const cases: readonly Case[] = [
  ...['audience', 'resource'].map((name) => ({
    name: `an agent's token for two targets to one, by ${name}, without any client authentication`,
    subject: () => world.agentToken('doc-analyst', { audience: docs, resource: files }),
    more: { [name]: docs },
    aud: docs,
    scope: ['read:documents'],
  })),
  {
    name: "an agent's token to less scope; it stays for its target",
    subject: () => world.agentToken('doc-analyst', toDocs),
    more: { scope: 'write:documents' },
    aud: docs,
    scope: ['write:documents'],
  },
  {
    name: "an agent's token to nothing less",
    subject: () => world.agentToken('doc-analyst'),
    more: {},
    aud: 'doc-analyst',
    scope: ['agent:self'],
  },
  {
    name: "an agent's token to a target where it may do nothing of its scope",
    subject: () => world.agentToken('doc-analyst'),
    more: toDocs,
    aud: docs,
    scope: [],
  },
  { name: "a user's token", subject: ofUser, more: toDocs, aud: docs, scope: rw },
  {
    name: "a user's token by its client's Basic",
    subject: ofUser,
    more: toDocs,
    headers: asWeb,
    aud: docs,
    scope: rw,
  },
  {
    name: "a user's token by its client's post",
    subject: ofUser,
    more: { ...toDocs, client_id: 'web', client_secret: secret },
    aud: docs,
    scope: rw,
  },
  {
    name: "a user's token by a client_id that proves nothing",
    subject: ofUser,
    more: { ...toDocs, client_id: 'web' },
    aud: docs,
    scope: rw,
  },
  {
    name: "a user's token to two targets, with what may be had at both",
    subject: ofUser,
    more: { audience: docs, resource: files },
    headers: asWeb,
    aud: [docs, files],
    scope: ['read:documents'],
  },
  {
    name: "a user's token of a public client",
    subject: ofSpa,
    more: { ...toDocs, client_id: 'spa' },
    aud: docs,
    scope: rw,
  },
  {
    name: "a client's own token",
    subject: () => world.clientToken('service_b'),
    more: { audience: files, scope: 'read:documents' },
    headers: asServiceB,
    aud: files,
    scope: ['read:documents'],
  },
  {
    name: 'a token that names who may act, which it keeps',
    subject: () => world.userToken({ clientId: 'handing-on', scope: wide }),
    more: toDocs,
    aud: docs,
    scope: rw,
  },
  { name: 'a delegated token', subject: delegated, more: toDocs, aud: docs, scope: rw },
  {
    name: 'a delegated token to less scope',
    subject: delegated,
    more: { scope: 'read:reports' },
    aud: 'doc-analyst',
    scope: ['read:reports'],
  },
  ...[JWT, ACCESS_TOKEN].flatMap((subjectType) =>
    [JWT, ACCESS_TOKEN].map((type) => ({
      name: `shown as ${subjectType.slice(36)}, wanted as ${type.slice(36)}`,
      subject: ofUser,
      more: { ...toDocs, subject_token_type: subjectType, requested_token_type: type },
      aud: docs,
      scope: rw,
      type,
    })),
  ),
  {
    name: 'with our issuer as subject_issuer',
    subject: ofUser,
    more: { ...toDocs, subject_issuer: 'https://auth.example/t/acme-corp/api/v1' },
    aud: docs,
    scope: rw,
  },
]

/** What a narrowed token takes over as it is. */
const kept = ['iss', 'sub', 'client_id', 'grant_id', 'act', 'may_act', 'auth_time', 'tenant']

for (const { name, subject, more, headers, aud, scope, type = ACCESS_TOKEN } of cases) {
  test(`narrowing: ${name}`, async () => {
    const before = await subject()
    const was = claimsOf(before)
    world.clock.jump(1_000_000)
    const answer = await world.ask({ subject_token: before, ...more }, headers)
    const claims = claimsOf(granted(answer))
    for (const claim of kept) expect([claim, claims[claim]]).toEqual([claim, was[claim]])
    expect(claims['aud']).toEqual(aud)
    expect(scopesOf(claims)).toEqual(scope)
    expect(claims['exp']).toBe(was['exp'])
    expect(claims['iat']).toBe(world.clock.now)
    expect(claims['jti']).not.toBe(was['jti'])
    expect(answer.json).toMatchObject({
      token_type: 'Bearer',
      issued_token_type: type,
      expires_in: 2_600,
      scope: claims['scope'] ?? '',
    })
  })
}

test('a delegated token keeps its whole chain of actors', async () => {
  const was = claimsOf(await delegated())
  expect(was['act']).toEqual({
    sub: 'agent:doc-analyst',
    iss: 'https://auth.example/t/acme-corp/api/v1',
    client_id: 'doc-analyst',
  })
})
