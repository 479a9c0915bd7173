import {
  claim,
  claims,
  DAY,
  forms,
  header,
  NOW,
  provider,
  type Case,
  type Changes,
} from './token_case.ts'

const subjects: readonly Case[] = forms('sub', claim('sub'), [
  ['missing', undefined, 'claim_missing'],
  ['null', null, 'claim_malformed'],
  ['empty', '', 'claim_malformed'],
  ['a number', 1, 'claim_malformed'],
  ['an object', {}, 'claim_malformed'],
  ['of 512 letters', 's'.repeat(512), 'accepted'],
  ['of 513 letters', 's'.repeat(513), 'claim_malformed'],
  ['of 600 letters', 's'.repeat(600), 'claim_malformed'],
  ['with a line end', 'repo:octo-org/octo-repo\n', 'claim_malformed'],
  ['with NUL', 'repo:octo-org/octo-repo\0', 'claim_malformed'],
  [
    'with a Cyrillic look-alike',
    'repo:\u043ecto-org/octo-repo:ref:refs/heads/main',
    'claim_malformed',
  ],
  ['with a letter of full width', 'repo:octo-org\uff0focto-repo', 'claim_malformed'],
  ['with a zero-width space', 'repo:octo-org/octo-repo\u200b', 'claim_malformed'],
  ['that turns the writing round', 'repo:\u202eocto-org', 'claim_malformed'],
])

const longLived: readonly Case[] = [
  ['a life of 24 hours', claims({ exp: NOW + DAY }), 'accepted'],
  ['a life of 24 hours and a second', claims({ exp: NOW + DAY + 1 }), 'lifetime_too_long'],
]

/** Judged by a provider that takes one branch of one repository. */
const onMain = (changes: Changes['claims']): Changes => ({
  claims: changes,
  provider: { claims: { sub: 'repo:octo-org/octo-repo:ref:refs/heads/main' } },
})
const inRepository = (sub: string): Changes => ({
  claims: { sub },
  provider: { claims: { sub: 'repo:octo-org/octo-repo:**' } },
})
const inOrganization = (sub: string): Changes => ({
  claims: { sub },
  provider: { claims: { sub: 'repo:octo-org/*:ref:refs/heads/main' } },
})

export const github: readonly Case[] = [
  ...subjects,
  ...longLived,
  ['a push to main', onMain({}), 'accepted'],
  [
    'a push to another branch',
    onMain({ sub: 'repo:octo-org/octo-repo:ref:refs/heads/main2' }),
    'claim_mismatch',
  ],
  ['a pull request', onMain({ sub: 'repo:octo-org/octo-repo:pull_request' }), 'claim_mismatch'],
  ['a tag', onMain({ sub: 'repo:octo-org/octo-repo:ref:refs/tags/main' }), 'claim_mismatch'],
  [
    'main in other letters',
    onMain({ sub: 'repo:octo-org/octo-repo:ref:refs/heads/Main' }),
    'claim_mismatch',
  ],
  ['any job of the repository', inRepository('repo:octo-org/octo-repo:pull_request'), 'accepted'],
  [
    'an environment of the repository',
    inRepository('repo:octo-org/octo-repo:environment:production'),
    'accepted',
  ],
  [
    'a repository whose name begins alike',
    inRepository('repo:octo-org/octo-repo-evil:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    "another organization's repository",
    inRepository('repo:evil-org/octo-repo:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    'an organization whose name ends alike',
    inRepository('repo:not-octo-org/octo-repo:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    'any repository of the organization',
    inOrganization('repo:octo-org/other:ref:refs/heads/main'),
    'accepted',
  ],
  [
    'an organization whose name begins alike',
    inOrganization('repo:octo-org-evil/x:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    'a star that would have to cross a part',
    inOrganization('repo:octo-org/x:environment:y:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    'an environment that is named like a branch',
    inOrganization('repo:octo-org/x:environment:ref:refs/heads/main'),
    'claim_mismatch',
  ],
  [
    'a demanded environment',
    { claims: { environment: 'production' }, provider: { claims: { environment: 'production' } } },
    'accepted',
  ],
  [
    'a demanded environment of a job without',
    provider({ claims: { environment: 'production' } }),
    'claim_missing',
  ],
  [
    'another environment than is demanded',
    {
      claims: { environment: 'production-2' },
      provider: { claims: { environment: 'production' } },
    },
    'claim_mismatch',
  ],
  [
    'a workflow of another repository',
    {
      claims: { job_workflow_ref: 'evil-org/x/.github/workflows/a.yml@refs/heads/main' },
      provider: { claims: { job_workflow_ref: 'octo-org/**' } },
    },
    'claim_mismatch',
  ],
  ['the number of the owner', provider({ claims: { repository_owner_id: '65' } }), 'accepted'],
  [
    'the number of another owner of the same name',
    { claims: { repository_owner_id: '66' }, provider: { claims: { repository_owner_id: '65' } } },
    'claim_mismatch',
  ],
  [
    'iss of an enterprise',
    claims({ iss: 'https://token.actions.githubusercontent.com/octo' }),
    'issuer_unknown',
  ],
  [
    'aud as GitHub writes it when nobody asks',
    claims({ aud: 'https://github.com/octo-org' }),
    'audience_mismatch',
  ],
  ['aud for AWS', claims({ aud: 'sts.amazonaws.com' }), 'audience_mismatch'],
  ['thumbprints beside kid', header({ x5t: 'AA', 'x5t#S256': 'AA' }), 'accepted'],
]

/** Judged by a provider that takes protected branches of one group. */
const protectedOnly = (changes: Changes['claims']): Changes => ({
  claims: changes,
  provider: { claims: { ref_protected: 'true', namespace_path: 'octo-group' } },
})
const ofGroup = (sub: string): Changes => ({
  claims: { sub },
  provider: { claims: { sub: 'project_path:octo-group/*:ref_type:branch:ref:main' } },
})

export const gitlab: readonly Case[] = [
  ...subjects,
  ...longLived,
  ['a protected branch', protectedOnly({}), 'accepted'],
  ['a branch that is not protected', protectedOnly({ ref_protected: 'false' }), 'claim_mismatch'],
  ['ref_protected as a boolean', protectedOnly({ ref_protected: true }), 'claim_mismatch'],
  ['ref_protected missing', protectedOnly({ ref_protected: undefined }), 'claim_missing'],
  ['ref_protected in upper case', protectedOnly({ ref_protected: 'True' }), 'claim_mismatch'],
  [
    'a group below the group',
    protectedOnly({ namespace_path: 'octo-group/sub' }),
    'claim_mismatch',
  ],
  [
    'a group whose name begins alike',
    protectedOnly({ namespace_path: 'octo-group-evil' }),
    'claim_mismatch',
  ],
  [
    'a project of the group',
    ofGroup('project_path:octo-group/other:ref_type:branch:ref:main'),
    'accepted',
  ],
  [
    'a project of a group below',
    ofGroup('project_path:octo-group/sub/x:ref_type:branch:ref:main'),
    'claim_mismatch',
  ],
  [
    'a project of another group',
    ofGroup('project_path:evil/octo-group:ref_type:branch:ref:main'),
    'claim_mismatch',
  ],
  [
    'a tag named main',
    ofGroup('project_path:octo-group/x:ref_type:tag:ref:main'),
    'claim_mismatch',
  ],
  [
    'a branch named like the end of a sub',
    ofGroup('project_path:octo-group/x:ref_type:branch:ref:a:ref_type:branch:ref:main'),
    'claim_mismatch',
  ],
  [
    'a number that is demanded as a text',
    provider({ claims: { runner_id: '1' } }),
    'claim_mismatch',
  ],
  [
    'another pipeline than is demanded',
    {
      claims: { pipeline_source: 'merge_request_event' },
      provider: { claims: { pipeline_source: 'push' } },
    },
    'claim_mismatch',
  ],
  [
    'user_login in place of sub',
    claims({ sub: undefined, user_login: 'project_path:octo-group/x' }),
    'claim_missing',
  ],
  ['iss of another GitLab', claims({ iss: 'https://gitlab.com' }), 'issuer_unknown'],
  [
    'iss without its scheme, as GitLab once wrote it',
    claims({ iss: 'gitlab.example.com' }),
    'issuer_unknown',
  ],
  [
    'iss of GitHub, with the key of GitLab',
    claims({ iss: 'https://token.actions.githubusercontent.com' }),
    'key_unknown',
  ],
]
