import { describe, expect, test } from 'vitest'
import { ExchangeFailure, type ExchangeRequest } from '../../src/exchange/exchanger.ts'
import { exchangeForm, judgeAnswer } from '../../src/exchange/wire.ts'

const plain: ExchangeRequest = {
  subjectToken: 'the.proof.itself',
  subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
  audiences: [],
  resources: [],
  scope: undefined,
  clientId: undefined,
  urgent: true,
}

describe('the form of an exchange (RFC 8693 section 2.1)', () => {
  const always =
    'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange' +
    '&subject_token=the.proof.itself' +
    '&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt'
  test.each<[string, Partial<ExchangeRequest>, string]>([
    ['nothing asked for', {}, ''],
    ['an audience', { audiences: ['https://a.example'] }, '&audience=https%3A%2F%2Fa.example'],
    ['audiences in their order', { audiences: ['b', 'a'] }, '&audience=b&audience=a'],
    ['resources', { resources: ['urn:b', 'urn:a'] }, '&resource=urn%3Ab&resource=urn%3Aa'],
    ['a scope', { scope: ['read:a', 'b'] }, '&scope=read%3Aa+b'],
    ['a client', { clientId: 'doc-analyst' }, '&client_id=doc-analyst'],
    ['what would end a value', { audiences: ['a&b=c+d%'] }, '&audience=a%26b%3Dc%2Bd%25'],
    [
      'all of them',
      { audiences: ['a'], resources: ['urn:b'], scope: ['c'], clientId: 'd' },
      '&audience=a&resource=urn%3Ab&scope=c&client_id=d',
    ],
  ])('%s', (_name, wanted, rest) => {
    expect(exchangeForm({ ...plain, ...wanted })).toBe(always + rest)
  })
})

const token = { access_token: 'abc', token_type: 'Bearer', expires_in: 600, scope: 'a b' }
const issued = { accessToken: 'abc', scope: 'a b', lifetimeSeconds: 600 }
const without = (member: string) =>
  Object.fromEntries(Object.entries(token).filter(([name]) => name !== member))

function judge(
  status: number,
  body: unknown,
  { retryAfter, scope }: { retryAfter?: string; scope?: readonly string[] } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return judgeAnswer({ status, retryAfter, body: text }, { ...plain, scope })
}

/** All of a failure but its detail. */
function failureOf(result: ReturnType<typeof judge>) {
  if (!(result instanceof ExchangeFailure)) return result
  const { kind, error, retryAfterSeconds } = result
  return retryAfterSeconds === undefined ? [kind, error] : [kind, error, retryAfterSeconds]
}

describe('200 with a token', () => {
  test.each<[string, object, object]>([
    ['all members', token, issued],
    ['more members', { ...token, issued_token_type: 'x', refresh_token: 'y' }, issued],
    ['Bearer in lower case', { ...token, token_type: 'bearer' }, issued],
    ['an empty scope', { ...token, scope: '' }, { ...issued, scope: '' }],
    ['the shortest life', { ...token, expires_in: 1 }, { ...issued, lifetimeSeconds: 1 }],
    ['a week', { ...token, expires_in: 604_800 }, { ...issued, lifetimeSeconds: 604_800 }],
    [
      'more than a week',
      { ...token, expires_in: 604_801 },
      { ...issued, lifetimeSeconds: 604_800 },
    ],
    [
      'the longest token',
      { ...token, access_token: 'a'.repeat(16_384) },
      { ...issued, accessToken: 'a'.repeat(16_384) },
    ],
  ])('%s', (_name, body, expected) => {
    expect(judge(200, body)).toEqual(expected)
  })

  test.each([
    ['as asked', ['x', 'y'], 'x y'],
    ['not known, where none was asked for', undefined, undefined],
  ])(
    'no scope means: %s (RFC 6749 section 5.1, RFC 8693 section 2.2.1)',
    (_name, scope, expected) => {
      const options = scope ? { scope } : {}
      expect(judge(200, without('scope'), options)).toEqual({ ...issued, scope: expected })
    },
  )
})

const unusable = ['outage', 'authority_answer_unusable']

describe('200 without a usable token is an outage', () => {
  test.each<[string, unknown]>([
    ['an empty body', ''],
    ['HTML', '<html></html>'],
    ['half of the body', JSON.stringify(token).slice(0, 20)],
    ['two documents', JSON.stringify(token).repeat(2)],
    ['an array', [token]],
    ['null', null],
    ['a text', '"abc"'],
    [
      'a member twice',
      '{"access_token":"a","access_token":"b","token_type":"Bearer","expires_in":1}',
    ],
    ['a member twice, deep down', `{"x":{"y":1,"y":2},${JSON.stringify(token).slice(1)}`],
    ['deep nesting', `{"x":${'['.repeat(40)}${']'.repeat(40)},${JSON.stringify(token).slice(1)}`],
    ['an error', { error: 'invalid_request' }],
    ['no access_token', without('access_token')],
    ['an empty access_token', { ...token, access_token: '' }],
    ['an access_token that is no text', { ...token, access_token: 1 }],
    ['an access_token with a space', { ...token, access_token: 'a b' }],
    ['an access_token with a line feed', { ...token, access_token: 'a\nb' }],
    ['an access_token beyond ASCII', { ...token, access_token: 'ä' }],
    ['an access_token that is too long', { ...token, access_token: 'a'.repeat(16_385) }],
    ['no token_type', without('token_type')],
    ['a token_type that we cannot use', { ...token, token_type: 'DPoP' }],
    ['a token_type that is no text', { ...token, token_type: ['Bearer'] }],
    ['no expires_in', without('expires_in')],
    ['expires_in 0', { ...token, expires_in: 0 }],
    ['a negative expires_in', { ...token, expires_in: -1 }],
    ['a textual expires_in', { ...token, expires_in: '600' }],
    ['half seconds', { ...token, expires_in: 1.5 }],
    ['expires_in beyond all numbers', JSON.stringify(token).replace('600', '1e999')],
    ['null as a scope', { ...token, scope: null }],
    ['a list of scopes', { ...token, scope: ['a'] }],
    ['a scope that is too long', { ...token, scope: 'a'.repeat(16_385) }],
  ])('%s', (_name, body) => {
    expect(failureOf(judge(200, body))).toEqual(unusable)
  })
})

const html = '<html><body>404 Not Found</body></html>'

describe('other answers', () => {
  test.each<[string, number, unknown, readonly unknown[]]>([
    ['201', 201, token, unusable],
    ['204', 204, '', unusable],
    ['301', 301, '', unusable],
    ['302 with an error in it', 302, { error: 'access_denied' }, unusable],
    ['304', 304, '', unusable],
    ['invalid_scope', 400, { error: 'invalid_scope' }, ['relayed', 'invalid_scope']],
    ['invalid_target', 400, { error: 'invalid_target' }, ['relayed', 'invalid_target']],
    ['invalid_request', 400, { error: 'invalid_request' }, ['relayed', 'invalid_request']],
    [
      'invalid_request with a code',
      400,
      { error: 'invalid_request', code: 'workload_identity_failed' },
      ['refused', 'invalid_request'],
    ],
    [
      'invalid_scope with a code',
      400,
      { error: 'invalid_scope', code: 'x' },
      ['relayed', 'invalid_scope'],
    ],
    ['invalid_grant', 400, { error: 'invalid_grant' }, ['refused', 'invalid_grant']],
    [
      'unauthorized_client',
      400,
      { error: 'unauthorized_client' },
      ['refused', 'unauthorized_client'],
    ],
    ['invalid_client', 401, { error: 'invalid_client' }, ['refused', 'invalid_client']],
    ['access_denied', 403, { error: 'access_denied' }, ['refused', 'access_denied']],
    ['an error that nobody knows', 418, { error: 'a_teapot' }, ['refused', 'a_teapot']],
    ['404 in HTML', 404, html, unusable],
    ['404 with an OAuth error', 404, { error: 'not_found' }, ['refused', 'not_found']],
    ['400 without a body', 400, '', unusable],
    ['400 without an error', 400, { message: 'no' }, unusable],
    ['401 in HTML, of a gateway', 401, html, unusable],
    ['403 in HTML, of a gateway', 403, html, unusable],
    ['an error that is no text', 400, { error: { code: 1 } }, unusable],
    ['an empty error', 400, { error: '' }, unusable],
    ['a sentence as an error', 400, { error: 'Something went wrong' }, unusable],
    ['an error with a line feed', 400, { error: 'access_denied\n' }, unusable],
    ['an error that is too long', 400, { error: 'a'.repeat(65) }, unusable],
    [
      'an error that stands twice',
      400,
      '{"error":"invalid_scope","error":"access_denied"}',
      unusable,
    ],
    ['408', 408, '', ['outage', 'authority_unavailable']],
    ['408 with an error', 408, { error: 'access_denied' }, ['outage', 'authority_unavailable']],
    ['429', 429, { error: 'slow_down' }, ['outage', 'authority_busy']],
    ['500', 500, { error: 'server_error' }, ['outage', 'authority_unavailable']],
    [
      '500 with a refusal in it',
      500,
      { error: 'access_denied' },
      ['outage', 'authority_unavailable'],
    ],
    ['502 in HTML', 502, html, ['outage', 'authority_unavailable']],
    ['503', 503, { error: 'temporarily_unavailable' }, ['outage', 'authority_unavailable']],
    ['a status of no class', 0, '', unusable],
  ])('%s', (_name, status, body, expected) => {
    expect(failureOf(judge(status, body))).toEqual(expected)
  })

  test.each<[string | undefined, number | undefined]>([
    ['7', 7],
    ['0', 0],
    ['3600', 3_600],
    ['3601', 3_600],
    ['999999', 3_600],
    ['9999999', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['', undefined],
    ['Sat, 21 Nov 2026 10:00:00 GMT', undefined],
    [undefined, undefined],
  ])('Retry-After %j of an outage', (retryAfter, seconds) => {
    for (const status of [429, 503]) {
      const result = judge(status, '', retryAfter === undefined ? {} : { retryAfter })
      expect(failureOf(result)).toEqual([
        'outage',
        status === 429 ? 'authority_busy' : 'authority_unavailable',
        ...(seconds === undefined ? [] : [seconds]),
      ])
    }
  })

  test('the detail is our own sentence, whatever the body says', () => {
    const canary = 'what-only-the-body-holds'
    for (const [status, body] of [
      [200, { ...token, token_type: canary }],
      [200, { ...token, expires_in: canary }],
      [200, { ...token, scope: [canary] }],
      [200, { error: canary }],
      [200, canary],
      [302, canary],
      [400, { error: 'access_denied', error_description: canary }],
      [404, canary],
      [503, { error_description: canary }],
    ] as const) {
      const result = judge(status, body)
      expect(result).toBeInstanceOf(ExchangeFailure)
      expect(JSON.stringify(result)).not.toContain(canary)
    }
  })
})
