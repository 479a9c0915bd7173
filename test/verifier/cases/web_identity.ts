import { ACCOUNT, OTHER_ACCOUNT } from '../../fakes/platforms.ts'
import { STS_CLAIM } from '../../fakes/aws_issuer.ts'
import type { Claims } from '../../fakes/token_issuer.ts'
import {
  AUDIENCE,
  claim,
  claims,
  DAY,
  forms,
  member,
  nested,
  NOW,
  provider,
  type Case,
  type Changes,
} from './token_case.ts'

const OTHER_ISSUER = 'https://bbbb2222-0000-4000-8000-000000000002.tokens.sts.global.api.aws'
const arn = (resource: string, account = ACCOUNT): Changes =>
  claims({ sub: `arn:aws:iam::${account}:${resource}` })

/** The claim of AWS under another name. */
const moved =
  (name: string): Changes['claims'] =>
  (good: Claims) => ({ [STS_CLAIM]: undefined, [name]: good[STS_CLAIM] })

const times: readonly Case[] = [
  ['of 5 minutes ago', { claims: { exp: NOW + 3_600 }, ahead: 300 }, 'accepted'],
  ['of 5 minutes and 29 s ago', { claims: { exp: NOW + 3_600 }, ahead: 329 }, 'accepted'],
  ['of 5 minutes and 31 s ago', { claims: { exp: NOW + 3_600 }, ahead: 331 }, 'too_old'],
  [
    'of 30 minutes ago, where that is allowed',
    { claims: { exp: NOW + 3_600 }, ahead: 1_800, provider: { maxAge: 3_600 } },
    'accepted',
  ],
  [
    'past its own end, where more would be allowed',
    { ahead: 331, provider: { maxAge: 3_600 } },
    'expired',
  ],
  ['a life of 24 hours and a second', claims({ exp: NOW + DAY + 1 }), 'lifetime_too_long'],
]

const principals: readonly Case[] = [
  ['a role', arn('role/payments'), 'accepted'],
  ['a role with a long path', arn('role/a/b/c/payments'), 'accepted'],
  [
    'a role of a service',
    arn('role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX'),
    'accepted',
  ],
  ['a user', arn('user/team/operator'), 'accepted'],
  ['root', arn('root'), 'principal_unsupported'],
  ['a group', arn('group/admins'), 'principal_unsupported'],
  [
    'an assumed role',
    claims({ sub: `arn:aws:sts::${ACCOUNT}:assumed-role/payments/s` }),
    'principal_unsupported',
  ],
  [
    'a federated user',
    claims({ sub: `arn:aws:sts::${ACCOUNT}:federated-user/x` }),
    'principal_unsupported',
  ],
  ['a role without a name', arn('role/'), 'principal_unsupported'],
  ['a role with a star', arn('role/pay*'), 'principal_unsupported'],
  ['a role with a space', arn('role/pay ments'), 'principal_unsupported'],
  ['a role with a colon', arn('role/payments:x'), 'principal_unsupported'],
  ['a role with a line end', arn('role/payments\n'), 'principal_unsupported'],
  ['a role with a look-alike', arn('role/p\u0430yments'), 'principal_unsupported'],
  ['a role of 600 letters', arn(`role/${'r'.repeat(600)}`), 'principal_unsupported'],
  [
    'another partition than there is',
    claims({ sub: `arn:AWS:iam::${ACCOUNT}:role/payments` }),
    'principal_unsupported',
  ],
  [
    'a region in the ARN',
    claims({ sub: `arn:aws:iam:eu-west-1:${ACCOUNT}:role/payments` }),
    'principal_unsupported',
  ],
  [
    'an ARN behind something',
    claims({ sub: `x arn:aws:iam::${ACCOUNT}:role/payments` }),
    'principal_unsupported',
  ],
  ...forms('sub', claim('sub'), [
    ['missing', undefined, 'claim_missing'],
    ['a number', 1, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a service account', 'system:serviceaccount:research:doc-analyst', 'principal_unsupported'],
  ]),
]

const accounts: readonly Case[] = [
  ['sub of another account', arn('role/payments', OTHER_ACCOUNT), 'account_mismatch'],
  ['aws_account of another account', nested({ aws_account: OTHER_ACCOUNT }), 'account_mismatch'],
  [
    'sub and aws_account of another account, under our issuer',
    { ...arn('role/payments', OTHER_ACCOUNT), nested: { aws_account: OTHER_ACCOUNT } },
    'account_mismatch',
  ],
  [
    'the issuer of another account, with our key',
    claims({ iss: OTHER_ISSUER }),
    'signature_invalid',
  ],
  [
    'our issuer, with the key of another account that has the same kid',
    { signedBy: 'other_account' },
    'signature_invalid',
  ],
  [
    'the issuer and the key of another account, in our name',
    { claims: { iss: OTHER_ISSUER }, signedBy: 'other_account' },
    'account_mismatch',
  ],
  [
    'the issuer and the key of another account, in its own name',
    {
      claims: {
        iss: OTHER_ISSUER,
        sub: `arn:aws:iam::${OTHER_ACCOUNT}:role/team/payments`,
        [STS_CLAIM]: { aws_account: OTHER_ACCOUNT },
      },
      signedBy: 'other_account',
    },
    'accepted',
  ],
  [
    'the issuer of an account that nobody listed',
    claims({ iss: 'https://cccc3333-0000-4000-8000-000000000003.tokens.sts.global.api.aws' }),
    'issuer_unknown',
  ],
  ['a provider of another account', provider({ accounts: ['999988887777'] }), 'account_mismatch'],
  ...forms('aws_account', member('aws_account'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['a number', Number(ACCOUNT), 'claim_malformed'],
    ['in a list', [ACCOUNT], 'claim_malformed'],
    ['with a space', `${ACCOUNT} `, 'account_mismatch'],
  ]),
]

const nests: readonly Case[] = [
  [
    'the claim of AWS without its slash',
    { claims: moved('https://sts.amazonaws.com') },
    'claim_missing',
  ],
  [
    'the claim of AWS with a slash more',
    { claims: moved('https://sts.amazonaws.com//') },
    'claim_missing',
  ],
  ['the claim of AWS over http', { claims: moved('http://sts.amazonaws.com/') }, 'claim_missing'],
  [
    'its members at the top',
    claims({ [STS_CLAIM]: undefined, aws_account: ACCOUNT }),
    'claim_missing',
  ],
  ...forms('the claim of AWS', claim(STS_CLAIM), [
    ['a text', ACCOUNT, 'claim_malformed'],
    ['a list', [{ aws_account: ACCOUNT }], 'claim_malformed'],
    ['null', null, 'claim_malformed'],
    ['empty', {}, 'claim_missing'],
  ]),
  [
    'request_tags that name another account',
    nested({ request_tags: { aws_account: OTHER_ACCOUNT, sub: 'x' } }),
    'accepted',
  ],
  [
    'request_tags in place of aws_account',
    nested({ aws_account: undefined, request_tags: { aws_account: ACCOUNT } }),
    'claim_missing',
  ],
  [
    'request_tags in place of sub',
    {
      claims: { sub: undefined },
      nested: { request_tags: { sub: `arn:aws:iam::${ACCOUNT}:role/x` } },
    },
    'claim_missing',
  ],
  [
    'a demand on a request tag, which is no claim',
    { nested: { request_tags: { team: 'x' } }, provider: { claims: { team: 'x' } } },
    'claim_missing',
  ],
]

const selectors: readonly Case[] = [
  [
    'several audiences, as STS lets a caller ask for',
    claims({ aud: [AUDIENCE, 'https://other.example'] }),
    'audience_many',
  ],
  ['ten audiences', claims({ aud: Array.from({ length: 10 }, () => AUDIENCE) }), 'audience_many'],
  [
    'the audience of another verifier',
    claims({ aud: 'https://other.example' }),
    'audience_mismatch',
  ],
]

export const webIdentity: readonly Case[] = [
  ...times,
  ...principals,
  ...accounts,
  ...nests,
  ...selectors,
]
