import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  ACCESS_TOKEN,
  docs,
  exchangeOf,
  files,
  FORM,
  formBody,
  JSON_BODY,
  JWT,
  TOKEN_EXCHANGE,
  TOKEN_PATH,
  type HttpWish,
  type Json,
} from '../../fakes/running_authority.ts'
import {
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World
/** A delegation that is good but for what a case does to it. */
let good: Readonly<Record<'subject_token' | 'actor_token', string>>

beforeAll(async () => {
  world = await exchangeWorld()
  await world.allow('user_a', 'doc-analyst', wide.split(' '))
  good = {
    subject_token: await world.userToken({ scope: wide }),
    actor_token: await world.agentToken('doc-analyst'),
  }
})

afterAll(async () => {
  await world.stop()
})

test('what the cases change is good as it is', async () => {
  granted(await world.ask(good))
})

interface Case {
  readonly name: string
  readonly http: () => HttpWish | Promise<HttpWish>
  readonly status?: number
  readonly error?: string
  readonly reason: string
}

const delegation = (more: Wish) => () => exchangeHttp({ ...good, ...more })
const narrowing = (more: Wish) => () => exchangeHttp({ subject_token: good.subject_token, ...more })
const workload = (more: Wish) => async () =>
  exchangeHttp({ ...exchangeOf(await world.proofOf('doc-analyst')), ...more })

/** The three ways to ask, each of which is held to the same rules for what stands beside the tokens. */
const profiles = { delegation, narrowing, workload }

const typed = (type: string) => `urn:ietf:params:oauth:token-type:${type}`
const noTypes = [
  'id_token',
  'refresh_token',
  'saml1',
  'saml2',
  'id-jag',
  'txn_token',
  'JWT',
  'jwt ',
]

const types: readonly Case[] = [
  ...['subject_token_type', 'actor_token_type', 'requested_token_type'].flatMap((name) =>
    [...noTypes.map(typed), 'jwt', 'access_token', 'urn:x'].map((type) => ({
      name: `${name} ${type}`,
      http: delegation({ [name]: type }),
      reason: 'token_type_unsupported',
    })),
  ),
  ...['narrowing', 'workload'].flatMap((profile) =>
    noTypes.map((type) => ({
      name: `${profile} for ${type}`,
      http: profiles[profile as keyof typeof profiles]({ requested_token_type: typed(type) }),
      reason: 'token_type_unsupported',
    })),
  ),
  {
    name: 'actor_token without actor_token_type',
    http: delegation({ actor_token_type: '' }),
    reason: 'parameter_missing',
  },
  {
    name: 'actor_token_type without actor_token',
    http: narrowing({ actor_token_type: ACCESS_TOKEN }),
    reason: 'parameter_missing',
  },
  {
    name: 'actor_token_type without actor_token beside a proof',
    http: workload({ actor_token_type: JWT }),
    reason: 'parameter_missing',
  },
  {
    name: 'an actor without a subject',
    http: () => exchangeHttp({ actor_token: good.actor_token }),
    reason: 'parameter_missing',
  },
  {
    name: 'a subject without its type',
    http: delegation({ subject_token_type: '' }),
    reason: 'parameter_missing',
  },
]

const unsupported = [
  'assertion',
  'authorization_details',
  'code',
  'code_verifier',
  'jit_task_id',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
]

const perProfile = (
  make: (profile: (more: Wish) => Case['http'], name: string) => readonly Case[],
): readonly Case[] => Object.entries(profiles).flatMap(([name, profile]) => make(profile, name))

const parameters: readonly Case[] = [
  ...perProfile((profile, by) =>
    unsupported.map((name) => ({
      name: `${by} with ${name}`,
      http: profile({ [name]: 'x' }),
      reason: 'parameter_unsupported',
    })),
  ),
  ...['subject_token', 'actor_token', 'scope', 'requested_token_type', 'subject_issuer'].map(
    (name) => ({
      name: `${name} twice`,
      http: delegation({ [name]: ['x', 'x'] }),
      reason: 'parameter_repeated',
    }),
  ),
  {
    name: 'a scope that is none',
    http: delegation({ scope: 'read:documents  read:reports' }),
    error: 'invalid_scope',
    reason: 'scope_malformed',
  },
]

const numbered = (name: string, count: number): Wish => ({
  [name]: Array.from({ length: count }, (_, at) => `https://${String(at)}.example`),
})

const targets: readonly Case[] = perProfile((profile, by) =>
  (
    [
      ['21 audiences', numbered('audience', 21), 'targets_too_many'],
      ['21 resources', numbered('resource', 21), 'targets_too_many'],
      ['21 times the same audience', { audience: Array(21).fill(docs) }, 'targets_too_many'],
      [
        '11 audiences and 10 resources',
        { ...numbered('audience', 11), ...numbered('resource', 10) },
        'targets_too_many',
      ],
      ['20 audiences, of which none is known', numbered('audience', 20), 'targets_too_many'],
      ['3 targets, where 2 are the most', { audience: [docs, files, 'x'] }, 'targets_too_many'],
      ['a resource with a fragment', { resource: `${docs}/#x` }, 'target_malformed'],
      ['a resource with an empty fragment', { resource: `${docs}/#` }, 'target_malformed'],
      ['a resource that is no absolute URI', { resource: 'docs' }, 'target_malformed'],
      ['one bad resource among good ones', { resource: [docs, '/x'] }, 'target_malformed'],
      ['two audiences in one', { audience: `${docs} ${files}` }, 'target_malformed'],
      ['an audience of 513 characters', { audience: 'a'.repeat(513) }, 'target_malformed'],
      [
        'an audience that nobody knows',
        { audience: 'https://nowhere.example' },
        'target_not_allowed',
      ],
      ['a known target with a slash behind it', { resource: `${docs}/` }, 'target_not_allowed'],
      ['a known target in other letters', { audience: docs.toUpperCase() }, 'target_not_allowed'],
      ['a known and an unknown one', { audience: [docs, 'x'] }, 'target_not_allowed'],
    ] as const
  ).map(([name, more, reason]) => ({
    name: `${by} with ${name}`,
    http: profile(more as Wish),
    error: 'invalid_target',
    reason,
  })),
)

const json = (more: Json) => (): HttpWish => ({
  method: 'POST',
  path: TOKEN_PATH,
  headers: JSON_BODY,
  body: JSON.stringify({
    grant_type: TOKEN_EXCHANGE,
    subject_token_type: ACCESS_TOKEN,
    actor_token_type: ACCESS_TOKEN,
    ...good,
    ...more,
  }),
})

const onlyTexts = ['subject_token', 'actor_token', 'actor_token_type', 'scope', 'client_id']
const bodies: readonly Case[] = [
  ...onlyTexts.flatMap((name) =>
    [['x'], [], {}, 7, true, null].map((value) => ({
      name: `JSON with ${name} ${JSON.stringify(value)}`,
      http: json({ [name]: value }),
      reason: 'parameter_malformed',
    })),
  ),
  ...[[null], [7], [[docs]], { 0: docs }, null, 7].map((value) => ({
    name: `JSON with audience ${JSON.stringify(value)}`,
    http: json({ audience: value }),
    reason: 'parameter_malformed',
  })),
  {
    name: 'JSON with 21 resources',
    http: json({ resource: numbered('resource', 21)['resource'] }),
    error: 'invalid_target',
    reason: 'targets_too_many',
  },
  {
    name: 'a subject token of 17 KiB',
    http: narrowing({ subject_token: 'A'.repeat(17 * 1024) }),
    reason: 'subject_foreign',
  },
  {
    name: 'a proof of 17 KiB',
    http: narrowing({ subject_token: 'A'.repeat(17 * 1024), subject_token_type: JWT }),
    reason: 'too_large',
  },
  {
    name: 'an actor token of 17 KiB',
    http: delegation({ actor_token: 'A'.repeat(17 * 1024) }),
    reason: 'actor_token_malformed',
  },
  {
    name: 'tokens in the query string',
    http: () => ({
      ...formBody({ grant_type: TOKEN_EXCHANGE }),
      headers: FORM,
      path: `${TOKEN_PATH}?${new URLSearchParams(good).toString()}`,
    }),
    reason: 'query_refused',
  },
]

for (const { name, http, status = 400, error = 'invalid_request', reason } of [
  ...types,
  ...parameters,
  ...targets,
  ...bodies,
]) {
  test(`an exchange is refused: ${name}; nothing changes`, async () => {
    const wish = await http()
    const code = reason === 'too_large' ? { code: 'workload_identity_failed' } : {}
    await refusesUnchanged(world, { name, http: wish, status, error, reason, ...code })
  })
}

test.each(['subject_token', 'actor_token', 'x'])('a body of 1 MB, in %s', async (name) => {
  const http = exchangeHttp({ ...good, [name]: 'A'.repeat(1_048_576) })
  await refusesUnchanged(world, { name, http, status: 413, error: 'invalid_request' })
})

test('after all of it the good exchange is as good as before, and no line is an error', async () => {
  granted(await world.ask(good))
  expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('no token stands in the log', () => {
  const text = world.log.text()
  for (const token of Object.values(good)) {
    for (const piece of token.split('.')) expect(text).not.toContain(piece)
  }
})
