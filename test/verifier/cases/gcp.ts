import {
  claim,
  claims,
  DAY,
  forms,
  header,
  nested,
  NOW,
  provider,
  type Case,
} from './token_case.ts'

const OTHER = '109999999999999999999'

export const gcp: readonly Case[] = [
  ...forms('sub', claim('sub'), [
    ['missing', undefined, 'claim_missing'],
    ['empty', '', 'claim_malformed'],
    ['a number', 104857600, 'claim_malformed'],
    ['of another account than azp', OTHER, 'subject_mismatch'],
  ]),
  ...[
    ['an address', 'analyst@octo-project.iam.gserviceaccount.com'],
    ['of 600 digits', '1'.repeat(600)],
    ['of four digits', '1234'],
    ['with a line end', '104857600123456789012\n'],
    ['negative', '-104857600123456789012'],
    ['in other digits', '\u0661\u0660\u0664\u0668\u0665\u0667\u0666'],
    ['with a star', '10485760*'],
  ].map(([name = '', sub]): Case => [
    `sub and azp ${name}`,
    claims({ sub, azp: sub }),
    'claim_malformed',
  ]),
  ...forms('azp', claim('azp'), [
    ['missing', undefined, 'accepted'],
    ['null', null, 'subject_mismatch'],
    ['of another account', OTHER, 'subject_mismatch'],
    ['of a client of a person', '1234-abc.apps.googleusercontent.com', 'subject_mismatch'],
    ['in a list', ['104857600123456789012'], 'subject_mismatch'],
  ]),
  ['another account in both', claims({ sub: OTHER, azp: OTHER }), 'accepted'],
  ...forms('email', claim('email'), [
    ['missing', undefined, 'accepted'],
    ['null', null, 'claim_malformed'],
    ['a list', ['a@b.example'], 'claim_malformed'],
    ['of 321 letters', 'e'.repeat(321), 'claim_malformed'],
  ]),
  ['an email that is not verified', claims({ email_verified: false }), 'accepted'],
  [
    'an email that says in text that it is verified',
    claims({ email_verified: 'true' }),
    'accepted',
  ],
  ['without the block of the machine, as on GKE', claims({ google: undefined }), 'accepted'],
  ['a block of the machine that is rubbish', claims({ google: [null] }), 'accepted'],
  [
    'a block of the machine of another project',
    nested({ compute_engine: { project_id: 'other' } }),
    'accepted',
  ],
  [
    'a block of the machine in place of sub',
    {
      claims: { sub: undefined },
      nested: { compute_engine: { instance_id: '104857600123456789012' } },
    },
    'claim_missing',
  ],
  [
    'a demanded project, which is the claim of nobody but the machine',
    provider({ claims: { 'google.compute_engine.project_id': 'octo-project' } }),
    'claim_missing',
  ],
  [
    'iss without https, as Google writes it elsewhere',
    claims({ iss: 'accounts.google.com' }),
    'issuer_unknown',
  ],
  [
    'iss of GKE',
    claims({ iss: 'https://container.googleapis.com/v1/projects/p/locations/l/clusters/c' }),
    'issuer_unknown',
  ],
  [
    'aud of a client of Google',
    claims({ aud: '32555940559.apps.googleusercontent.com' }),
    'audience_mismatch',
  ],
  ['ES256, which Google does not use', header({ alg: 'ES256' }), 'algorithm_not_allowed'],
  ['a thumbprint beside kid', header({ x5t: 'AA' }), 'header_not_allowed'],
  ['a life of 24 hours and a second', claims({ exp: NOW + DAY + 1 }), 'lifetime_too_long'],
]
