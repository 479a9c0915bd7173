import { afterAll, beforeAll, test } from 'vitest'
import { refuses, survives, type RefusalCase } from '../fakes/refusal_cases.ts'
import {
  credentials,
  docs,
  exchangeOf,
  files,
  FORM,
  runAuthority,
  TOKEN_PATH,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority()
})

afterAll(async () => {
  await authority.stop()
})

type Pairs = readonly (readonly [name: string, value: string])[]

/** The same wish by each of the two grants: neither may let through what the other refuses. */
function both(name: string, error: string, reason: string, wish: Pairs): readonly RefusalCase[] {
  const body = (form: Readonly<Record<string, string>>) => ({
    method: 'POST',
    path: TOKEN_PATH,
    headers: FORM,
    body: [...Object.entries(form), ...wish]
      .map((pair) => pair.map(encodeURIComponent).join('='))
      .join('&'),
  })
  const common = { reason, status: 400, error }
  return [
    { ...common, name: `${name}, client_credentials`, http: body(credentials()) },
    {
      ...common,
      name: `${name}, exchange`,
      http: async ({ cluster }) => body(exchangeOf(await cluster.token())),
    },
  ]
}

const scopes = (name: string, reason: string, scope: string, more: Pairs = []) =>
  both(`scope: ${name}`, 'invalid_scope', reason, [['scope', scope], ...more])

const targets = (name: string, reason: string, ...wish: Pairs) =>
  both(`target: ${name}`, 'invalid_target', reason, wish)

const long = (length: number) => `https://a.example/${'x'.repeat(length - 18)}`

const cases: readonly RefusalCase[] = [
  ...scopes('a double space', 'scope_malformed', 'agent:self  read:reports'),
  ...scopes('a space in front', 'scope_malformed', ' agent:self'),
  ...scopes('a space behind', 'scope_malformed', 'agent:self '),
  ...scopes('only a space', 'scope_malformed', ' '),
  ...scopes('a tab', 'scope_malformed', 'agent:self\tread:reports'),
  ...scopes('a quotation mark', 'scope_malformed', '"agent:self"'),
  ...scopes('a backslash', 'scope_malformed', 'agent\\self'),
  ...scopes('a control character', 'scope_malformed', 'agent\u0000self'),
  ...scopes('a letter beyond ASCII', 'scope_malformed', 'agent:sélf'),
  ...scopes('101 values', 'scope_malformed', Array.from({ length: 101 }, (_, n) => n).join(' ')),
  ...scopes('4097 characters', 'scope_malformed', 'a'.repeat(4_097)),
  ...scopes('one that is unknown', 'scope_not_allowed', 'admin'),
  ...scopes('another case', 'scope_not_allowed', 'Agent:Self READ:REPORTS'),
  ...scopes('one too many', 'scope_not_allowed', 'agent:self read:reports admin'),
  ...scopes('a prefix of one', 'scope_not_allowed', 'agent read'),
  ...scopes('a star', 'scope_not_allowed', '*'),
  ...scopes('one of a target, without it', 'scope_not_allowed', 'read:documents'),
  ...scopes('one without target, at one', 'scope_not_allowed', 'agent:self read:reports', [
    ['resource', docs],
  ]),
  ...scopes('one of another target', 'scope_not_allowed', 'list:files', [['resource', docs]]),
  ...scopes('one of only the first of two', 'scope_not_allowed', 'write:documents', [
    ['resource', docs],
    ['resource', files],
  ]),
  ...targets('an audience with a space', 'target_malformed', ['audience', 'my server']),
  ...targets('an audience beyond ASCII', 'target_malformed', ['audience', 'sérver']),
  ...targets('an audience of 513', 'target_malformed', ['audience', 'a'.repeat(513)]),
  ...targets('a resource of 513', 'target_malformed', ['resource', long(513)]),
  ...targets('a resource with a fragment', 'target_malformed', ['resource', `${docs}#part`]),
  ...targets('a resource with an empty fragment', 'target_malformed', ['resource', `${docs}#`]),
  ...targets('a relative resource', 'target_malformed', ['resource', '/documents']),
  ...targets('a resource without scheme', 'target_malformed', ['resource', '//docs.example.com']),
  ...targets('a resource that is a word', 'target_malformed', ['resource', 'mcp-server']),
  ...targets('a resource without host', 'target_malformed', ['resource', 'https://']),
  ...targets('one good, one malformed', 'target_malformed', ['audience', docs], ['resource', 'x']),
  ...targets('an unknown audience', 'target_not_allowed', ['audience', 'https://evil.example']),
  ...targets('an unknown resource', 'target_not_allowed', ['resource', 'https://evil.example']),
  ...targets('a resource of 512', 'target_not_allowed', ['resource', long(512)]),
  ...targets('one more slash', 'target_not_allowed', ['resource', `${docs}/`]),
  ...targets('the host in capitals', 'target_not_allowed', ['resource', docs.toUpperCase()]),
  ...targets(
    'a good one and an unknown one',
    'target_not_allowed',
    ['audience', docs],
    ['resource', 'https://evil.example'],
  ),
  ...targets('two in one value', 'target_malformed', ['audience', `${docs} ${files}`]),
  ...targets(
    'more than may be',
    'targets_too_many',
    ...[docs, files, 'mcp-server', 'one-more'].map((target) => ['audience', target] as const),
  ),
]

for (const wanted of cases) {
  test(`a wish is refused: ${wanted.name}`, async () => {
    await refuses(authority, wanted)
  })
}

test('after the whole table at once, it serves as before', async () => {
  await survives(authority, cases)
})
