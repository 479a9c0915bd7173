import { claim, claims, forms, header, NOW, provider, type Case } from './token_case.ts'

const TENANT = '72f988bf-0000-4000-8000-2d7cd011db47'
const OTHER = '11111111-0000-4000-8000-222222222222'
const application = { appid: undefined, azp: undefined }

export const azure: readonly Case[] = [
  ...forms('oid', claim('oid'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a word', 'analyst', 'claim_malformed'],
    ['in upper case', 'CCCCCCCC-4444-4555-8666-DDDDDDDDDDDD', 'claim_malformed'],
    ['in braces', '{cccccccc-4444-4555-8666-dddddddddddd}', 'claim_malformed'],
    ['with a line end', 'cccccccc-4444-4555-8666-dddddddddddd\n', 'claim_malformed'],
    ['with a look-alike', '\u0441ccccccc-4444-4555-8666-dddddddddddd', 'claim_malformed'],
    ['of 600 letters', 'c'.repeat(600), 'claim_malformed'],
    ['in a list', ['cccccccc-4444-4555-8666-dddddddddddd'], 'claim_malformed'],
    ['of another identity', OTHER, 'accepted'],
  ]),
  ['sub in place of oid', claims({ oid: undefined, sub: OTHER }), 'claim_missing'],
  ['sub missing, which is no matter', claims({ sub: undefined }), 'accepted'],
  ...forms('tid', claim('tid'), [
    ['missing', undefined, 'claim_missing'],
    ['of another tenant', OTHER, 'account_mismatch'],
    ['in upper case', TENANT.toUpperCase(), 'account_mismatch'],
    ['in a list', [TENANT], 'claim_malformed'],
  ]),
  ...forms('idtyp', claim('idtyp'), [
    ['missing', undefined, 'accepted'],
    ['user', 'user', 'principal_unsupported'],
    ['device', 'device', 'principal_unsupported'],
    ['App', 'App', 'principal_unsupported'],
    ['null', null, 'principal_unsupported'],
    ['a list', ['app'], 'principal_unsupported'],
  ]),
  [
    'scp, as a token of a person has it',
    claims({ scp: 'user_impersonation' }),
    'principal_unsupported',
  ],
  ['scp, without idtyp', claims({ scp: 'Files.Read', idtyp: undefined }), 'principal_unsupported'],
  ['scp that is empty', claims({ scp: '' }), 'principal_unsupported'],
  [
    'an ID token of a person',
    claims({ ...application, idtyp: undefined, preferred_username: 'a@b.example' }),
    'claim_missing',
  ],
  ['no application, with idtyp', claims(application), 'claim_missing'],
  ['an application that is no text', claims({ ...application, appid: 1 }), 'claim_missing'],
  ['the application of version 1', claims({ ...application, appid: OTHER }), 'accepted'],
  ['the application of version 2', claims({ ...application, azp: OTHER }), 'accepted'],
  ['the issuer of version 1', claims({ iss: `https://sts.windows.net/${TENANT}/` }), 'accepted'],
  [
    'the issuer of version 2',
    claims({ iss: `https://login.microsoftonline.com/${TENANT}/v2.0` }),
    'accepted',
  ],
  [
    'the issuer of version 1 without its slash',
    claims({ iss: `https://sts.windows.net/${TENANT}` }),
    'issuer_unknown',
  ],
  [
    'the issuer of version 2 with a slash',
    claims({ iss: `https://login.microsoftonline.com/${TENANT}/v2.0/` }),
    'issuer_unknown',
  ],
  [
    'the issuer of another tenant',
    claims({ iss: `https://sts.windows.net/${OTHER}/` }),
    'issuer_unknown',
  ],
  [
    'the issuer that is common to tenants',
    claims({ iss: 'https://login.microsoftonline.com/common/v2.0' }),
    'issuer_unknown',
  ],
  [
    'another tenant, with an issuer that the operator listed',
    {
      claims: { iss: `https://sts.windows.net/${OTHER}/`, tid: OTHER },
      provider: { issuers: [`https://sts.windows.net/${OTHER}/`] },
    },
    'account_mismatch',
  ],
  ['aud of Azure itself', claims({ aud: 'https://management.azure.com/' }), 'audience_mismatch'],
  ['thumbprints beside kid', header({ x5t: 'AA', 'x5t#S256': 'AA' }), 'accepted'],
  ['a nonce in the header', header({ nonce: 'AA' }), 'header_not_allowed'],
  [
    'a life of 24 hours, dated back by 5 minutes',
    claims({ iat: NOW, exp: NOW + 86_700 }),
    'accepted',
  ],
  [
    'a life of 24 hours, 5 minutes and a second',
    claims({ iat: NOW, exp: NOW + 86_701 }),
    'lifetime_too_long',
  ],
  [
    'a demanded identity',
    provider({ claims: { xms_mirid: '/subscriptions/s/resourcegroups/octo/**' } }),
    'accepted',
  ],
  [
    'another identity than is demanded',
    provider({ claims: { xms_mirid: '/subscriptions/s/resourcegroups/other/**' } }),
    'claim_mismatch',
  ],
]
