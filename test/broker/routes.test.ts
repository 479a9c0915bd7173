import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'

let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker()
})

afterAll(() => broker.close())

const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_TYPE = 'Content-Type: application/json'
const TOO_LONG = 'x'.repeat(65_537)

interface Request {
  readonly name: string
  readonly line: string
  readonly headers?: readonly string[]
  readonly body?: string
}

interface Refusal {
  readonly status: number
  readonly error: string
  readonly code: string
}

function send({ line, headers = [], body }: Request, guard: readonly string[]) {
  const all = [`Host: ${broker.host}`, ...guard, ...headers]
  return sendRaw(broker.port, requestText(`${line} HTTP/1.1`, all, body))
}

const guarded = ['Lumo-Broker: true']
const invalid = (code: string) => ({ status: 400, error: 'invalid_request', code })
const notThere = { status: 404, error: 'not_found', code: 'route_unknown' }
const notAllowed = { status: 405, error: 'invalid_request', code: 'method_not_allowed' }
const tooLarge = { status: 413, error: 'invalid_request', code: 'body_too_large' }

/** Node reads these too, and more like them. */
const rare = ['TRACE', 'PROPFIND', 'QUERY', 'M-SEARCH']

const refusals: readonly (Request & { readonly expected: Refusal })[] = [
  { name: 'an unknown path', line: 'GET /v1/tokens', expected: notThere },
  { name: 'the root', line: 'GET /', expected: notThere },
  { name: 'a final slash', line: 'GET /v1/token/', expected: notThere },
  { name: 'two slashes', line: 'GET //v1/token', expected: notThere },
  { name: 'upper case', line: 'GET /V1/TOKEN', expected: notThere },
  { name: 'no version', line: 'GET /token', expected: notThere },
  { name: 'a way around', line: 'GET /v1/x/../token', expected: notThere },
  { name: 'the operations listener', line: 'GET /metrics', expected: notThere },
  { name: 'OPTIONS of all', line: 'OPTIONS *', expected: notThere },
  { name: 'an unreadable URL', line: 'GET /v1/%zz', expected: invalid('body_malformed') },
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', ...rare].flatMap((method) =>
    ['/v1/token', '/v1/identity'].map((path) => ({
      name: `${method} ${path}`,
      line: `${method} ${path}`,
      expected: notAllowed,
    })),
  ),
  { name: 'POST /v1/identity', line: 'POST /v1/identity', expected: notAllowed },
  {
    name: 'PUT with a body',
    line: 'PUT /v1/token',
    headers: [JSON_TYPE],
    body: '{}',
    expected: notAllowed,
  },
  {
    name: 'a body of 64 KiB and a byte',
    line: 'POST /v1/token',
    headers: [FORM],
    body: TOO_LONG,
    expected: tooLarge,
  },
  {
    name: 'such a body where there is nothing',
    line: 'POST /v1/tokens',
    headers: [FORM],
    body: TOO_LONG,
    expected: tooLarge,
  },
  {
    name: 'a body of 64 KiB that is no form',
    line: 'POST /v1/token',
    headers: [JSON_TYPE],
    body: TOO_LONG.slice(1),
    expected: invalid('body_malformed'),
  },
  {
    name: 'an unreadable Content-Type',
    line: 'POST /v1/token',
    headers: ['Content-Type: ;;'],
    body: 'a=b',
    expected: invalid('media_type'),
  },
  {
    name: 'two Content-Types, the first of which would be right',
    line: 'POST /v1/token',
    headers: [FORM, JSON_TYPE],
    body: 'audience=a',
    expected: invalid('media_type'),
  },
  {
    name: 'POST with a query',
    line: 'POST /v1/token?audience=a',
    expected: invalid('query_refused'),
  },
]

describe('refusals of guarded requests', () => {
  test.each(refusals)('$name', async (request) => {
    const answer = await send(request, guarded)
    const body = JSON.parse(answer.body) as Record<string, unknown>
    expect({ status: answer.status, error: body['error'], code: body['code'] }).toEqual(
      request.expected,
    )
    expect(Object.keys(body)).toEqual(['error', 'error_description', 'code'])
  })

  test.each(['/v1/token', '/v1/identity'])('HEAD %s has a status and no body', async (path) => {
    const { status, body } = await send({ name: 'HEAD', line: `HEAD ${path}` }, guarded)
    expect({ status, body }).toEqual({ status: 405, body: '' })
  })

  const allowed = [
    ['/v1/token', 'GET, POST'],
    ['/v1/identity', 'GET'],
  ]
  test.each(
    ['PUT', ...rare].flatMap((method) => allowed.map(([path, allow]) => [method, path, allow])),
  )('a 405 to %s %s names the methods (RFC 9110 section 15.5.6)', async (method, path, allow) => {
    const answer = await send({ name: 'other', line: `${method ?? ''} ${path ?? ''}` }, guarded)
    expect(answer.header('allow')).toBe(allow)
  })
})

describe('the guards come before everything else', () => {
  test.each(refusals)('$name', async (request) => {
    const answer = await send(request, [])
    const { code } = JSON.parse(answer.body) as { code: string }
    expect({ status: answer.status, code }).toEqual({ status: 403, code: 'guard_header_missing' })
  })
})

describe('headers of every answer', () => {
  const preflight = [
    'Origin: http://attacker.example',
    'Access-Control-Request-Method: GET',
    'Access-Control-Request-Headers: lumo-broker',
  ]
  const requests: readonly (Request & { readonly guard: readonly string[] })[] = [
    { name: 'a token', line: 'GET /v1/token', guard: guarded },
    { name: 'an identity', line: 'GET /v1/identity', guard: guarded },
    { name: 'a preflight', line: 'OPTIONS /v1/token', headers: preflight, guard: [] },
    { name: 'a guarded preflight', line: 'OPTIONS /v1/token', headers: preflight, guard: guarded },
    { name: 'a page', line: 'GET /v1/token', headers: preflight.slice(0, 1), guard: guarded },
    ...refusals.map((refusal) => ({ ...refusal, guard: guarded })),
    ...refusals.map((refusal) => ({ ...refusal, name: `${refusal.name}, unguarded`, guard: [] })),
  ]
  test.each(requests)('$name: no-store, no CORS, no redirect, no cookie', async (request) => {
    const answer = await send(request, request.guard)
    const names = answer.headers.map(([name]) => name)
    const odd = names.filter(
      (name) =>
        name.startsWith('access-control-') ||
        ['location', 'refresh', 'set-cookie', 'www-authenticate'].includes(name),
    )
    expect(odd).toEqual([])
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.status < 300 || answer.status >= 400).toBe(true)
  })
})

describe('GET /v1/token', () => {
  test('answers with the members of RFC 6749 section 5.1 and no other', async () => {
    const answer = await send({ name: 'token', line: 'GET /v1/token?scope=b+a' }, guarded)
    const body = JSON.parse(answer.body) as Record<string, unknown>
    expect(body).toEqual({
      access_token: expect.stringMatching(/^token-\d+$/) as string,
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'b a',
    })
    expect(answer.header('content-type')).toMatch(/^application\/json(;|$)/)
  })
})
