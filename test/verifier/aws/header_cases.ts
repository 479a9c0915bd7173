import {
  authorization,
  edit,
  EMPTY,
  header,
  HOST,
  OTHER_NAME,
  OTHER_TENANT,
  plus,
  QUERY,
  url,
  without,
  type AwsCase,
} from './changes.ts'
import { AUDIENCE } from './world.ts'

export const headers: readonly AwsCase[] = [
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
  { name: 'a nonce, signed', sign: { headers: { 'x-lumo-nonce': 'n1' } }, code: 'accepted' },
  { name: 'a nonce, not signed', change: plus('x-lumo-nonce', 'n1'), code: 'header_unsigned' },
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

export const signature: readonly AwsCase[] = [
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
    sign: { headers: { 'X-Amz-Date': '20261131T000000Z' } },
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
    change: header('x-amz-date', '20261121T000001Z'),
    code: 'signature_invalid',
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
