import { expect, test } from 'vitest'
import { ExchangeFailure, type ExchangeRequest } from '../../src/exchange/exchanger.ts'
import { inProcessExchanger, type LocalTokenEndpoint } from '../../src/exchange/in_process.ts'
import { exchangeForm } from '../../src/exchange/wire.ts'

const request: ExchangeRequest = {
  subjectToken: 'the.proof.itself',
  subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
  audiences: ['https://docs.example.com'],
  resources: [],
  scope: ['read'],
  clientId: 'doc-analyst',
  urgent: true,
}

type Answer = Awaited<ReturnType<LocalTokenEndpoint>>

/** An endpoint that remembers who came, and answers the same to all. */
function endpointWith(answer: Answer) {
  const asked: Parameters<LocalTokenEndpoint>[] = []
  const endpoint: LocalTokenEndpoint = (tenant, raw) => {
    asked.push([tenant, raw])
    return Promise.resolve(answer)
  }
  return { asked, endpoint }
}

const token = '{"access_token":"abc","token_type":"Bearer","expires_in":600,"scope":"read"}'

test('the request is the one that would go over the wire', async () => {
  const { asked, endpoint } = endpointWith({ status: 200, headers: {}, body: token })
  const result = await inProcessExchanger('acme-corp', endpoint).exchange(request)
  expect(result).toEqual({ accessToken: 'abc', scope: 'read', lifetimeSeconds: 600 })
  expect(asked).toEqual([
    [
      'acme-corp',
      {
        contentType: 'application/x-www-form-urlencoded',
        body: Buffer.from(exchangeForm(request)),
        query: '',
        authorization: undefined,
        dpop: undefined,
      },
    ],
  ])
})

test.each<[string, Answer, readonly unknown[]]>([
  [
    'a refusal',
    { status: 400, headers: {}, body: '{"error":"invalid_request","code":"x"}' },
    ['refused', 'invalid_request', undefined],
  ],
  [
    'what is relayed',
    { status: 400, headers: {}, body: '{"error":"invalid_target"}' },
    ['relayed', 'invalid_target', undefined],
  ],
  [
    'an outage with Retry-After',
    { status: 503, headers: { 'retry-after': '4' }, body: '' },
    ['outage', 'authority_unavailable', 4],
  ],
])('%s is judged as if it had come over the wire', async (_name, answer, expected) => {
  const result = await inProcessExchanger('acme-corp', endpointWith(answer).endpoint).exchange(
    request,
  )
  if (!(result instanceof ExchangeFailure)) throw new Error('it brought a token')
  expect([result.kind, result.error, result.retryAfterSeconds]).toEqual(expected)
})
