import type { RefusalCode } from '../../../src/verifier/refusal.ts'

/** What STS answers, and what is made of it. */
export interface AnswerCase {
  readonly name: string
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  readonly code: RefusalCode | 'accepted' | 'cannot_verify'
}

const ARN = 'arn:aws:sts::111122223333:assumed-role/payments/session-1'
const RESULT = { Account: '111122223333', Arn: ARN, UserId: 'AROAEXAMPLEEXAMPLE00:session-1' }
const METADATA = { RequestId: '01234567-89ab-cdef-0123-456789abcdef' }
const XMLNS = 'https://sts.amazonaws.com/doc/2011-06-15/'

const json = (result: unknown = RESULT, more: object = { ResponseMetadata: METADATA }): string =>
  JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult: result, ...more } })

interface Xml {
  readonly result?: string
  readonly xmlns?: string
  readonly root?: string
}

const element = ([name, value]: readonly [string, string]): string => `<${name}>${value}</${name}>`
const fields = (changes: object = {}): string =>
  Object.entries({ ...RESULT, ...changes })
    .map(element)
    .join('\n')
const xml = ({
  result = fields(),
  xmlns = XMLNS,
  root = 'GetCallerIdentityResponse',
}: Xml = {}): string =>
  `<${root} xmlns="${xmlns}">
  <GetCallerIdentityResult>
    ${result}
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>${METADATA.RequestId}</RequestId>
  </ResponseMetadata>
</${root}>
`
const XML = { type: 'text/xml' } as const
const reflected = JSON.stringify(xml()).slice(1, -1)

/** JSON is what is asked for, and the type when none is given here. */
const identities: readonly AnswerCase[] = [
  { name: 'JSON', body: json(), code: 'accepted' },
  {
    name: 'JSON with a charset',
    type: 'application/json; charset=utf-8',
    body: json(),
    code: 'accepted',
  },
  { name: 'XML', ...XML, body: xml(), code: 'accepted' },
  { name: 'XML of the other type', type: 'application/xml', body: xml(), code: 'accepted' },
  {
    name: 'XML with its declaration',
    ...XML,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${xml()}`,
    code: 'accepted',
  },
  { name: 'XML in one line', ...XML, body: xml().replace(/>\s+</g, '><'), code: 'accepted' },
]

const strange: readonly AnswerCase[] = [
  { name: 'nothing', body: '', code: 'cannot_verify' },
  { name: 'JSON as text', type: 'text/plain', body: json(), code: 'cannot_verify' },
  { name: 'XML as HTML', type: 'text/html', body: xml(), code: 'cannot_verify' },
  { name: 'XML as JSON', body: xml(), code: 'cannot_verify' },
  { name: 'JSON as XML', ...XML, body: json(), code: 'cannot_verify' },
  {
    name: 'JSON of a type that contains the right one',
    type: 'application/json-seq',
    body: json(),
    code: 'cannot_verify',
  },
  { name: 'no type', type: '', body: json(), code: 'cannot_verify' },
  { name: 'another status of success', status: 202, body: json(), code: 'cannot_verify' },
  {
    name: 'a redirect',
    status: 307,
    headers: { location: '/' },
    body: json(),
    code: 'cannot_verify',
  },
  {
    name: 'the answer of another action',
    body: json().replaceAll('GetCallerIdentity', 'AssumeRoleWithWebIdentity'),
    code: 'cannot_verify',
  },
  {
    name: 'a second root member',
    body: json().replace('{', '{"Error":{},'),
    code: 'cannot_verify',
  },
  {
    name: 'a second member beside the result',
    body: json(RESULT, { ResponseMetadata: METADATA, Other: 1 }),
    code: 'cannot_verify',
  },
  {
    name: 'a fourth member of the result',
    body: json({ ...RESULT, Extra: '' }),
    code: 'cannot_verify',
  },
  {
    name: 'a member of the result twice',
    body: json().replace('"Arn"', '"Arn":"x","Arn"'),
    code: 'cannot_verify',
  },
  {
    name: 'a result deeper inside (CVE-2020-16250)',
    body: JSON.stringify({
      AssumeRoleWithWebIdentityResponse: {
        SubjectFromWebIdentityToken: JSON.parse(json()) as unknown,
      },
    }),
    code: 'cannot_verify',
  },
  { name: 'a result that is a list', body: json([RESULT]), code: 'cannot_verify' },
  {
    name: 'an account that is a number',
    body: json({ ...RESULT, Account: 111122223333 }),
    code: 'cannot_verify',
  },
  {
    name: 'no ARN',
    body: json({ Account: RESULT.Account, UserId: RESULT.UserId }),
    code: 'cannot_verify',
  },
  {
    name: 'a text that is no ARN',
    body: json({ ...RESULT, Arn: 'payments' }),
    code: 'cannot_verify',
  },
  {
    name: 'a session that is not that of the ARN',
    body: json({ ...RESULT, UserId: 'AROAEXAMPLEEXAMPLE00:other' }),
    code: 'cannot_verify',
  },
  {
    name: 'a role without the id of one',
    body: json({ ...RESULT, UserId: 'AIDAEXAMPLEEXAMPLE00:session-1' }),
    code: 'cannot_verify',
  },
  { name: 'over 16 KiB', body: json() + ' '.repeat(16_384), code: 'cannot_verify' },
  {
    name: 'XML reflected in JSON (CVE-2020-16250)',
    ...XML,
    body: `{"AssumeRoleWithWebIdentityResponse":{"SubjectFromWebIdentityToken":"${reflected}"}}`,
    code: 'cannot_verify',
  },
  { name: 'XML behind a text (CVE-2020-16250)', ...XML, body: `x${xml()}`, code: 'cannot_verify' },
  { name: 'XML before a text', ...XML, body: `${xml()}x`, code: 'cannot_verify' },
  { name: 'XML twice', ...XML, body: xml() + xml(), code: 'cannot_verify' },
  {
    name: 'XML inside an element',
    ...XML,
    body: `<Response>${xml()}</Response>`,
    code: 'cannot_verify',
  },
  { name: 'XML inside a comment', ...XML, body: `<!--${xml()}-->`, code: 'cannot_verify' },
  {
    name: 'XML with a document type',
    ...XML,
    body: `<!DOCTYPE x [<!ENTITY a "b">]>${xml()}`,
    code: 'cannot_verify',
  },
  {
    name: 'XML of another namespace',
    ...XML,
    body: xml({ xmlns: 'https://evil.example/' }),
    code: 'cannot_verify',
  },
  {
    name: 'XML of another root',
    ...XML,
    body: xml({ root: 'GetSessionTokenResponse' }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with an entity',
    ...XML,
    body: xml({ result: fields({ UserId: 'AROA&amp;:session-1' }) }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with a CDATA section',
    ...XML,
    body: xml({ result: fields({ Arn: `<![CDATA[${ARN}]]>` }) }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with an element inside the ARN',
    ...XML,
    body: xml({ result: fields({ Arn: `<b>${ARN}</b>` }) }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with the ARN twice and no account',
    ...XML,
    body: xml({ result: ['Arn', 'Arn', 'UserId'].map((name) => element([name, ARN])).join('') }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with a fourth element',
    ...XML,
    body: xml({ result: `${fields()}<Arn>${ARN}</Arn>` }),
    code: 'cannot_verify',
  },
  {
    name: 'XML with an end tag of another name',
    ...XML,
    body: xml().replace('</Arn>', '</UserId>'),
    code: 'cannot_verify',
  },
  {
    name: 'XML with an attribute',
    ...XML,
    body: xml().replace('<Arn>', '<Arn x="y">'),
    code: 'cannot_verify',
  },
]

const errorJson = (code: string): string =>
  JSON.stringify({ Error: { Type: 'Sender', Code: code, Message: 'no' }, RequestId: 'x' })
const errorXml = (code: string): string =>
  `<ErrorResponse xmlns="${XMLNS}">\n  <Error>\n    <Type>Sender</Type>\n    <Code>${code}</Code>\n    <Message>no</Message>\n  </Error>\n</ErrorResponse>`

const ofTheCaller = [
  ['SignatureDoesNotMatch', 'signature_invalid'],
  ['IncompleteSignature', 'signature_invalid'],
  ['InvalidClientTokenId', 'caller_unknown'],
  ['UnrecognizedClientException', 'caller_unknown'],
  ['ExpiredToken', 'caller_unknown'],
  ['ExpiredTokenException', 'caller_unknown'],
  ['MissingAuthenticationToken', 'caller_unknown'],
  ['AccessDenied', 'cannot_verify'],
  ['AccessDeniedException', 'cannot_verify'],
] as const

const ofOthers = [
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'RequestExpired',
  'InvalidAction',
  'InternalFailure',
  'RegionDisabledException',
  'Whatever',
]

const errors: readonly AnswerCase[] = [
  ...ofTheCaller.flatMap(([error, code]): AnswerCase[] => [
    { name: `${error} in JSON`, status: 403, body: errorJson(error), code },
    { name: `${error} in XML`, ...XML, status: 403, body: errorXml(error), code },
  ]),
  ...ofOthers.map((error): AnswerCase => ({
    name: error,
    status: 400,
    body: errorJson(error),
    code: 'cannot_verify',
  })),
  {
    name: 'SignatureDoesNotMatch with a 500',
    status: 500,
    body: errorJson('SignatureDoesNotMatch'),
    code: 'cannot_verify',
  },
  {
    name: 'SignatureDoesNotMatch with a 200',
    body: errorJson('SignatureDoesNotMatch'),
    code: 'cannot_verify',
  },
  { name: 'an identity with a 403', status: 403, body: json(), code: 'cannot_verify' },
  {
    name: 'a 403 of a proxy',
    type: 'text/html',
    status: 403,
    body: '<html>Forbidden</html>',
    code: 'cannot_verify',
  },
  {
    name: 'a 403 that speaks of a code in its message',
    ...XML,
    status: 403,
    body: errorXml('Whatever').replace('no', '<Code>SignatureDoesNotMatch</Code>'),
    code: 'cannot_verify',
  },
  { name: 'a 429 of nothing', status: 429, body: '', code: 'cannot_verify' },
  { name: 'a 503', status: 503, body: 'busy', code: 'cannot_verify' },
]

export const answers = { identities, strange, errors }
