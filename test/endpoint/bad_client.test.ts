import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuses, survives, wishOf, type RefusalCase } from '../fakes/refusal_cases.ts'
import {
  basic,
  exchangeOf,
  FORM,
  runAuthority,
  secret,
  secretHash,
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

type Form = Readonly<Record<string, string>>

const ERRORS = {
  client_unproven: { status: 401, error: 'invalid_client' },
  client_twice: { status: 400, error: 'invalid_request' },
  parameter_missing: { status: 400, error: 'invalid_request' },
  grant_not_allowed: { status: 400, error: 'unauthorized_client' },
} as const

interface ClientCase extends RefusalCase {
  /** RFC 6749 section 5.2: whoever used the header is told which scheme it has to be. */
  readonly challenge: string | undefined
}

/** Shows these credentials with each grant: they must be right even where none are needed. */
function shown(
  name: string,
  reason: keyof typeof ERRORS,
  form: Form,
  headers: Form = {},
): readonly ClientCase[] {
  const challenged = reason === 'client_unproven' && 'authorization' in headers
  const wish = (whole: Form) => ({
    method: 'POST',
    path: TOKEN_PATH,
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ ...whole, ...form }).toString(),
  })
  const common = {
    ...ERRORS[reason],
    reason,
    challenge: challenged ? 'Basic realm="token", charset="UTF-8"' : undefined,
  }
  return [
    {
      ...common,
      name: `${name}, client_credentials`,
      http: wish({ grant_type: 'client_credentials' }),
    },
    {
      ...common,
      name: `${name}, exchange`,
      http: async ({ cluster }) => wish(exchangeOf(await cluster.token())),
    },
  ]
}

const header = (value: string) => ({ authorization: value })
const encoded = (text: string) => header(`Basic ${Buffer.from(text).toString('base64')}`)

const unproven = [
  ...shown('Basic without a value', 'client_unproven', {}, header('Basic')),
  ...shown('Basic with a blank value', 'client_unproven', {}, header('Basic  ')),
  ...shown('an empty header', 'client_unproven', {}, header('')),
  ...shown('Basic beyond base64', 'client_unproven', {}, header('Basic !!!!')),
  ...shown('Basic in two words', 'client_unproven', {}, header('Basic cmVw b3J0ZXI=')),
  ...shown('Basic without a colon', 'client_unproven', {}, encoded('reporter')),
  ...shown('Basic with nothing but a colon', 'client_unproven', {}, encoded(':')),
  ...shown('Basic with a bad percent sign', 'client_unproven', {}, encoded('reporter:%ZZ')),
  ...shown('Basic that is no UTF-8', 'client_unproven', {}, encoded('reporter:%FF')),
  ...shown('Bearer', 'client_unproven', {}, header('Bearer e30.e30.x')),
  ...shown('another scheme', 'client_unproven', {}, header('Digest username="reporter"')),
  ...shown('no scheme', 'client_unproven', {}, header(`reporter:${secret}`)),
  ...shown('a wrong secret by Basic', 'client_unproven', {}, basic('reporter', 'wrong')),
  ...shown('an empty secret by Basic', 'client_unproven', {}, basic('reporter', '')),
  ...shown('a prefix of the secret', 'client_unproven', {}, basic('reporter', secret.slice(0, -1))),
  ...shown('the hash for the secret', 'client_unproven', {}, basic('reporter', secretHash(secret))),
  ...shown('an unknown client by Basic', 'client_unproven', {}, basic('nobody', secret)),
  ...shown('another case of the client', 'client_unproven', {}, basic('Reporter', secret)),
  ...shown('the client of another tenant', 'client_unproven', {}, basic('globex-reporter', secret)),
  ...shown('an agent with a secret', 'client_unproven', {}, basic('doc-analyst', secret)),
  ...shown('Basic where only post may be', 'client_unproven', {}, basic('post-only', secret)),
  ...shown('a wrong secret by post', 'client_unproven', {
    client_id: 'reporter',
    client_secret: 'wrong',
  }),
  ...shown('an unknown client by post', 'client_unproven', {
    client_id: 'nobody',
    client_secret: secret,
  }),
  ...shown('a client named as a prototype is', 'client_unproven', {
    client_id: '__proto__',
    client_secret: secret,
  }),
  ...shown('post where only Basic may be', 'client_unproven', {
    client_id: 'basic-only',
    client_secret: secret,
  }),
]

const [noneAtAll, onlyAName] = [
  shown('no credentials', 'client_unproven', {})[0],
  shown('only a client_id', 'client_unproven', { client_id: 'reporter' })[0],
]

const twice = [
  ...shown('a secret without client_id', 'parameter_missing', { client_secret: secret }),
  ...shown(
    'Basic and a secret in the body',
    'client_twice',
    { client_id: 'reporter', client_secret: secret },
    basic('reporter', secret),
  ),
  ...shown(
    'Basic and another client_id',
    'client_twice',
    { client_id: 'basic-only' },
    basic('reporter', secret),
  ),
  ...shown(
    'a wrong Basic and a good secret in the body',
    'client_twice',
    { client_id: 'reporter', client_secret: secret },
    basic('reporter', 'wrong'),
  ),
]

const grants = [
  shown(
    'a client without client_credentials',
    'grant_not_allowed',
    {},
    basic('exchanger', secret),
  )[0],
  shown('a client without exchange', 'grant_not_allowed', {}, basic('reporter', secret))[1],
]

const cases = [...unproven, noneAtAll, onlyAName, ...twice, ...grants].filter(
  (one) => one !== undefined,
)

for (const wanted of cases) {
  test(`a client is refused: ${wanted.name}`, async () => {
    const answer = await refuses(authority, wanted)
    expect(answer.headers['www-authenticate']).toBe(wanted.challenge)
  })
}

test('an unknown client and a wrong secret have the same answer, byte for byte', async () => {
  const texts = new Set<string>()
  for (const wanted of unproven) {
    texts.add((await authority.send(await wishOf(wanted, authority))).text)
  }
  expect([...texts]).toEqual([
    '{"error":"invalid_client","error_description":"Client authentication failed."}',
  ])
})

test('after the whole table at once, it serves as before', async () => {
  await survives(authority, cases)
})

test('no secret is in the log', async () => {
  await authority.post({ grant_type: 'client_credentials' }, basic('canary-4a', 'canary-4b'))
  await authority.post({
    grant_type: 'client_credentials',
    client_id: 'canary-4c',
    client_secret: 'canary-4d',
  })
  await authority.post({ grant_type: 'canary-4e', scope: 'canary-4f' })
  expect(authority.log.text()).not.toContain('canary')
  expect(authority.log.text()).not.toContain(secret)
})
