import type { SignedRequestProvider } from '../../../src/verifier/aws/aws_request.ts'
import type { RefusalCode } from '../../../src/verifier/refusal.ts'
import { encodeParts, type RequestParts, type SigningWish } from '../../fakes/sts/signed_token.ts'
import { AUDIENCE } from './world.ts'

/** One request and what has to become of it. */
export interface AwsCase {
  readonly name: string
  readonly code: RefusalCode | 'accepted'
  /** What is signed instead of a good request. `at` counts from now. */
  readonly sign?: Partial<SigningWish>
  /** What is done to it after it was signed. */
  readonly change?: (parts: RequestParts) => unknown
  /** How it is written, where not as it should be. */
  readonly encode?: (parts: unknown) => string
  readonly provider?: Partial<SignedRequestProvider>
}

type Change = (parts: RequestParts) => RequestParts

const HOST = 'sts.eu-west-1.amazonaws.com'
const QUERY = '?Action=GetCallerIdentity&Version=2011-06-15'
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const OTHER_TENANT = 'https://auth.example.com/t/other/api/v1'
const OTHER_NAME = 'https://auth.example.com/t/acme'

const url =
  (text: string): Change =>
  (parts) => ({ ...parts, url: text })
const plus =
  (key: string, value: string): Change =>
  (parts) => ({ ...parts, headers: [...parts.headers, { key, value }] })
const without =
  (name: string): Change =>
  (parts) => ({ ...parts, headers: parts.headers.filter(({ key }) => key.toLowerCase() !== name) })
const edit =
  (name: string, change: (value: string) => string): Change =>
  (parts) => ({
    ...parts,
    headers: parts.headers.map(({ key, value }) =>
      key.toLowerCase() === name ? { key, value: change(value) } : { key, value },
    ),
  })
const header = (name: string, value: string): Change => edit(name, () => value)
const authorization = (from: string | RegExp, to: string): Change =>
  edit('authorization', (value) => value.replace(from, to))

const good: readonly AwsCase[] = [
  { name: 'as aws4 signs it', code: 'accepted' },
  {
    name: "no slash before '?', as Google's client writes it",
    change: url(`https://${HOST}${QUERY}`),
    code: 'accepted',
  },
  {
    name: 'the hash of an empty body signed, as @smithy/signature-v4 does',
    sign: { headers: { 'x-amz-content-sha256': EMPTY } },
    code: 'accepted',
  },
  { name: 'no space behind the commas', change: authorization(/, /g, ','), code: 'accepted' },
  {
    name: 'JSON without percent signs',
    encode: (parts) => JSON.stringify(parts),
    code: 'accepted',
  },
  {
    name: 'everything percent-encoded',
    encode: (parts) => Buffer.from(JSON.stringify(parts)).toString('hex').replace(/../g, '%$&'),
    code: 'accepted',
  },
  { name: 'another region of the list', sign: { region: 'us-east-1' }, code: 'accepted' },
  {
    name: 'the FIPS host',
    sign: { region: 'us-east-1', host: 'sts-fips.us-east-1.amazonaws.com' },
    code: 'accepted',
  },
  {
    name: 'headers in another order',
    change: (parts) => ({ ...parts, headers: parts.headers.toReversed() }),
    code: 'accepted',
  },
  { name: '300 s old', sign: { at: -300 }, code: 'accepted' },
  { name: '30 s ahead', sign: { at: 30 }, code: 'accepted' },
]

const shape: readonly AwsCase[] = [
  { name: 'nothing', encode: () => '', code: 'request_malformed' },
  {
    name: 'a broken escape',
    encode: (parts) => `${encodeParts(parts)}%`,
    code: 'request_malformed',
  },
  {
    name: 'an escape that is no UTF-8',
    encode: (parts) => encodeParts(parts).replace('POST', 'POST%ff'),
    code: 'request_malformed',
  },
  {
    name: 'encoded twice',
    encode: (parts) => encodeURIComponent(encodeParts(parts)),
    code: 'request_malformed',
  },
  {
    name: 'base64',
    encode: (parts) => Buffer.from(JSON.stringify(parts)).toString('base64url'),
    code: 'request_malformed',
  },
  { name: 'a list', change: (parts) => [parts], code: 'request_malformed' },
  {
    name: 'a member twice',
    encode: (parts) => JSON.stringify(parts).replace('{', `{"method":"POST",`),
    code: 'request_malformed',
  },
  {
    name: 'a member too many: body',
    change: (parts) => ({ ...parts, body: '' }),
    code: 'request_malformed',
  },
  {
    name: 'a member too few',
    change: ({ url, headers }) => ({ url, headers }),
    code: 'request_malformed',
  },
  {
    name: 'a url that is no text',
    change: (parts) => ({ ...parts, url: [parts.url] }),
    code: 'request_malformed',
  },
  {
    name: 'headers as an object',
    change: (parts) => ({ ...parts, headers: { host: HOST } }),
    code: 'request_malformed',
  },
  {
    name: 'a header with a member too many',
    change: (parts) => ({ ...parts, headers: parts.headers.map((one) => ({ ...one, raw: '' })) }),
    code: 'request_malformed',
  },
  {
    name: 'a header value that is a list',
    change: (parts) => ({
      ...parts,
      headers: parts.headers.map(({ key, value }) => ({ key, value: [value] })),
    }),
    code: 'request_malformed',
  },
  {
    name: '17 headers',
    change: (parts) => ({ ...parts, headers: Array.from({ length: 17 }, () => parts.headers[0]) }),
    code: 'request_malformed',
  },
  {
    name: 'over 16 KiB',
    change: header('x-amz-security-token', 'a'.repeat(16_384)),
    code: 'too_large',
  },
  {
    name: 'over 16 KiB of spaces',
    encode: (parts) => encodeParts(parts) + ' '.repeat(16_384),
    code: 'too_large',
  },
  {
    name: 'a session token over 8 KiB',
    change: header('x-amz-security-token', 'a'.repeat(8_193)),
    code: 'request_malformed',
  },
  {
    name: 'the presigned URL of an EKS token',
    encode: () => `k8s-aws-v1.${Buffer.from(`https://${HOST}/${QUERY}`).toString('base64url')}`,
    code: 'request_malformed',
  },
  {
    name: 'the members of a Vault login',
    change: (parts) => ({
      iam_http_request_method: 'POST',
      iam_request_url: Buffer.from(parts.url).toString('base64'),
      iam_request_body: '',
      iam_request_headers: '',
    }),
    code: 'request_malformed',
  },
]

const target: readonly AwsCase[] = [
  { name: 'GET', sign: { method: 'GET' }, code: 'request_not_allowed' },
  {
    name: 'post in lower case',
    change: (parts) => ({ ...parts, method: 'post' }),
    code: 'request_not_allowed',
  },
  ...[
    ['http', `http://${HOST}/${QUERY}`],
    ['HTTPS in capitals', `HTTPS://${HOST}/${QUERY}`],
    ['a port', `https://${HOST}:443/${QUERY}`],
    ['credentials', `https://user:pass@${HOST}/${QUERY}`],
    ['a host behind an at sign', `https://${HOST}@evil.example/${QUERY}`],
    ['a fragment', `https://${HOST}/${QUERY}#x`],
    ['a path', `https://${HOST}/x${QUERY}`],
    ['two slashes', `https://${HOST}//${QUERY}`],
    ['dot segments', `https://${HOST}/x/..${QUERY}`],
    ['a backslash', String.raw`https://${HOST}\${QUERY}`],
    ['a line end', `https://${HOST}/${QUERY}\n`],
    ['a space before it', ` https://${HOST}/${QUERY}`],
    ['no query', `https://${HOST}/`],
    [
      'another action (CVE-2020-16250)',
      `https://${HOST}/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15`,
    ],
    ['another version', `https://${HOST}/?Action=GetCallerIdentity&Version=2014-10-01`],
    ['a key in another case (CVE-2022-2385)', `https://${HOST}/${QUERY}&action=AssumeRole`],
    ['a key twice (CVE-2022-2385)', `https://${HOST}/${QUERY}&Action=AssumeRole`],
    ['a key in lower case', `https://${HOST}/?action=GetCallerIdentity&Version=2011-06-15`],
    ['the keys in another order', `https://${HOST}/?Version=2011-06-15&Action=GetCallerIdentity`],
    ['an escaped key', `https://${HOST}/?%41ction=GetCallerIdentity&Version=2011-06-15`],
    ['a presigned query', `https://${HOST}/${QUERY}&X-Amz-Expires=60`],
    [
      'a WebIdentityToken to reflect (CVE-2020-16250)',
      `https://${HOST}/${QUERY}&WebIdentityToken=x`,
    ],
    ['the global host', `https://sts.amazonaws.com/${QUERY}`],
    ['another service', `https://iam.eu-west-1.amazonaws.com/${QUERY}`],
    ['a host of somebody else', `https://sts.eu-west-1.amazonaws.com.evil.example/${QUERY}`],
    ['a host that begins like one', `https://sts.eu-west-1.amazonaws.community/${QUERY}`],
    ['a bucket', `https://sts.eu-west-1.s3.amazonaws.com/${QUERY}`],
    ['the host in capitals', `https://STS.eu-west-1.amazonaws.com/${QUERY}`],
    ['a dot at the end of the host', `https://sts.eu-west-1.amazonaws.com./${QUERY}`],
    ['a dual-stack host', `https://sts.eu-west-1.api.aws/${QUERY}`],
    ['the metadata address', `https://169.254.169.254/${QUERY}`],
    [
      'a region of China under the suffix of the world',
      `https://sts.cn-north-1.amazonaws.com/${QUERY}`,
    ],
    [
      'a region of the world under the suffix of China',
      `https://sts.eu-west-1.amazonaws.com.cn/${QUERY}`,
    ],
    ['an isolated region', `https://sts.us-iso-east-1.amazonaws.com/${QUERY}`],
    ['FIPS in China', `https://sts-fips.cn-north-1.amazonaws.com.cn/${QUERY}`],
  ].map(([name = '', text = '']): AwsCase => ({
    name,
    change: url(text),
    code: 'request_not_allowed',
  })),
  {
    name: 'a region that is not in the list',
    sign: { region: 'eu-central-1' },
    code: 'request_not_allowed',
  },
  {
    name: 'a region of another partition',
    sign: { region: 'us-gov-west-1' },
    provider: { regions: ['us-gov-west-1'] },
    code: 'request_not_allowed',
  },
  {
    name: 'China at a provider of the world',
    sign: { region: 'cn-north-1', host: 'sts.cn-north-1.amazonaws.com.cn' },
    provider: { regions: ['cn-north-1'] },
    code: 'request_not_allowed',
  },
]

const headers: readonly AwsCase[] = [
  ...[
    ['accept', 'application/json'],
    ['x-k8s-aws-id', 'cluster'],
    ['x-goog-cloud-target-resource', '//iam.googleapis.com/projects/1'],
    ['x-vault-aws-iam-server-id', 'vault.example.com'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'upgrade'],
    ['content-type', 'application/x-www-form-urlencoded'],
    ['content-length', '0'],
    ['x-forwarded-host', 'evil.example'],
    ['x-amz-target', 'x'],
    ['date', 'x'],
  ].flatMap(([name = '', value = '']): AwsCase[] => [
    { name: `${name}, signed`, sign: { headers: { [name]: value } }, code: 'request_not_allowed' },
    { name: `${name}, not signed`, change: plus(name, value), code: 'request_not_allowed' },
  ]),
  {
    name: 'the hash of some other body',
    sign: { headers: { 'x-amz-content-sha256': EMPTY.replace('e3', 'e4') } },
    code: 'request_not_allowed',
  },
  {
    name: 'UNSIGNED-PAYLOAD',
    sign: { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    code: 'request_not_allowed',
  },
  {
    name: 'the audience twice',
    change: plus('x-lumo-audience', AUDIENCE),
    code: 'request_malformed',
  },
  {
    name: 'the audience twice, in other letters',
    change: plus('X-Lumo-Audience', OTHER_TENANT),
    code: 'request_malformed',
  },
  { name: 'the host twice', change: plus('HOST', HOST), code: 'request_malformed' },
  {
    name: 'a name that only folds to an allowed one',
    change: plus('x-amz-security-to\u212Aen', 'x'),
    code: 'request_malformed',
  },
  { name: 'a name with a space', change: plus('host ', HOST), code: 'request_malformed' },
  { name: 'a name with a colon', change: plus('host:x', HOST), code: 'request_malformed' },
  {
    name: 'a line end in the audience',
    change: header('x-lumo-audience', `${AUDIENCE}\r\naccept: text/xml`),
    code: 'request_malformed',
  },
  {
    name: 'a line end in the session token',
    change: edit('x-amz-security-token', (value) => `${value}\r\nhost: evil.example`),
    code: 'request_malformed',
  },
  {
    name: 'a NUL in the date',
    change: edit('x-amz-date', (value) => `${value}\0`),
    code: 'request_malformed',
  },
  {
    name: 'a space behind the audience',
    change: header('x-lumo-audience', `${AUDIENCE} `),
    code: 'request_malformed',
  },
  {
    name: 'another host header',
    change: header('host', 'sts.us-east-1.amazonaws.com'),
    code: 'request_malformed',
  },
  {
    name: 'another host header, signed',
    sign: { host: 'evil.example' },
    change: url(`https://${HOST}/${QUERY}`),
    code: 'request_malformed',
  },
  { name: 'no authorization', change: without('authorization'), code: 'request_malformed' },
  { name: 'no host header', change: without('host'), code: 'request_malformed' },
  { name: 'no date', change: without('x-amz-date'), code: 'request_malformed' },
  {
    name: 'no session token although one was signed',
    change: without('x-amz-security-token'),
    code: 'request_malformed',
  },
]

const signature: readonly AwsCase[] = [
  {
    name: 'no audience at all',
    sign: { headers: { 'x-lumo-audience': undefined } },
    code: 'header_unsigned',
  },
  {
    name: 'an audience put in afterwards',
    sign: { headers: { 'x-lumo-audience': undefined } },
    change: plus('x-lumo-audience', AUDIENCE),
    code: 'header_unsigned',
  },
  { name: 'the host not signed', change: authorization('=host;', '='), code: 'header_unsigned' },
  {
    name: 'the date not signed',
    change: authorization('x-amz-date;', ''),
    code: 'header_unsigned',
  },
  {
    name: 'the session token not signed',
    change: authorization('x-amz-security-token;', ''),
    code: 'header_unsigned',
  },
  {
    name: 'a body hash put in afterwards',
    change: plus('x-amz-content-sha256', EMPTY),
    code: 'header_unsigned',
  },
  {
    name: 'a signed header that was taken out',
    change: authorization('SignedHeaders=', 'SignedHeaders=accept;'),
    code: 'request_malformed',
  },
  {
    name: 'authorization among what it signs',
    change: authorization('SignedHeaders=', 'SignedHeaders=authorization;'),
    code: 'request_malformed',
  },
  {
    name: 'signed headers out of order',
    change: authorization('host;x-amz-date', 'x-amz-date;host'),
    code: 'request_malformed',
  },
  {
    name: 'a signed header twice',
    change: authorization('=host;', '=host;host;'),
    code: 'request_malformed',
  },
  {
    name: 'an empty signed header',
    change: authorization('=host;', '=host;;'),
    code: 'request_malformed',
  },
  {
    name: 'Signature Version 4A',
    change: authorization('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    code: 'request_malformed',
  },
  {
    name: 'two authorizations in one',
    change: edit('authorization', (value) => `${value}, ${value}`),
    code: 'request_malformed',
  },
  {
    name: 'the signature in capitals',
    change: edit('authorization', (value) =>
      value.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase().replace(/^./, 'F')),
    ),
    code: 'request_malformed',
  },
  {
    name: 'a signature that is too short',
    change: authorization(/.$/, ''),
    code: 'request_malformed',
  },
  { name: 'the scope of another service', sign: { service: 's3' }, code: 'request_malformed' },
  {
    name: 'the scope of another region',
    change: authorization('/eu-west-1/', '/us-east-1/'),
    code: 'request_malformed',
  },
  {
    name: 'the scope of another day',
    change: authorization(/\/2026\d{4}\//, '/20200101/'),
    code: 'request_malformed',
  },
  {
    name: 'a date that no calendar has',
    change: header('x-amz-date', '20260230T000000Z'),
    code: 'request_malformed',
  },
  {
    name: 'a date of another form',
    change: header('x-amz-date', '2026-11-21T00:00:00Z'),
    code: 'request_malformed',
  },
  {
    name: 'one of its digits changed',
    change: edit('authorization', (value) =>
      value.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    ),
    code: 'signature_invalid',
  },
  {
    name: 'the audience changed afterwards',
    sign: { audience: OTHER_TENANT },
    change: header('x-lumo-audience', AUDIENCE),
    code: 'signature_invalid',
  },
  {
    name: 'the audience changed to another accepted one',
    change: header('x-lumo-audience', OTHER_NAME),
    provider: { audiences: [AUDIENCE, OTHER_NAME] },
    code: 'signature_invalid',
  },
  {
    name: 'the date moved on',
    sign: { at: -60 },
    change: header('x-amz-date', '20261121T000000Z'),
    code: 'request_malformed',
  },
  { name: 'made for another tenant', sign: { audience: OTHER_TENANT }, code: 'audience_mismatch' },
  {
    name: 'made for an audience with a slash more',
    sign: { audience: `${AUDIENCE}/` },
    code: 'audience_mismatch',
  },
  {
    name: 'made for an audience in other letters',
    sign: { audience: AUDIENCE.toUpperCase() },
    code: 'audience_mismatch',
  },
  { name: '301 s old', sign: { at: -301 }, code: 'too_old' },
  {
    name: '61 s old where 60 are allowed',
    sign: { at: -61 },
    provider: { maxAgeSeconds: 60 },
    code: 'too_old',
  },
  {
    name: '901 s old where more seems allowed',
    sign: { at: -901 },
    provider: { maxAgeSeconds: 86_400 },
    code: 'too_old',
  },
  { name: '31 s ahead', sign: { at: 31 }, code: 'not_yet_valid' },
  { name: 'in an hour', sign: { at: 3_600 }, code: 'not_yet_valid' },
]

/** By what they are about. */
export const cases: readonly (readonly [about: string, cases: readonly AwsCase[]])[] = [
  ['a request that is good', good],
  ['the shape', shape],
  ['the target', target],
  ['the headers', headers],
  ['the signature', signature],
]
