import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { authorization, EMPTY, header, HOST, QUERY, url, type AwsCase } from './changes.ts'
import { headers, signature } from './header_cases.ts'

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

/** By what they are about. */
export const cases: readonly (readonly [about: string, cases: readonly AwsCase[]])[] = [
  ['a request that is good', good],
  ['the shape', shape],
  ['the target', target],
  ['the headers', headers],
  ['the signature', signature],
]
