import { expect, test } from 'vitest'
import { exchangeForm } from '../../src/exchange/wire.ts'
import { isTokenType, subjectTokenTypes } from '../../src/oauth/token_types.ts'

const request = {
  subjectToken: 'proof',
  audiences: [],
  resources: [],
  scope: undefined,
  clientId: undefined,
  urgent: true,
}

test.each([
  [subjectTokenTypes.jwt, 'urn:ietf:params:oauth:token-type:jwt'],
  [subjectTokenTypes.aws4_request, 'urn:ietf:params:aws:token-type:aws4_request'],
] as const)('a proof of the type %s is sent as %s', (subjectTokenType, sent) => {
  const form = new URLSearchParams(exchangeForm({ ...request, subjectTokenType }))
  expect(form.getAll('subject_token_type')).toEqual([sent])
})

test('a signed request is no type of a token that is issued or acts', () => {
  expect(isTokenType(subjectTokenTypes.aws4_request)).toBe(false)
})
