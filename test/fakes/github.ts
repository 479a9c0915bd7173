import { TokenIssuer, type Claims } from './token_issuer.ts'

/**
 * GitHub's issuer of tokens for the jobs of workflows, here a push to `main` of `octo-org/octo-repo`.
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export class FakeGitHub extends TokenIssuer {
  constructor(audience: string, now: () => number) {
    super('https://token.actions.githubusercontent.com', audience, now)
  }

  override header(): Claims {
    return { ...super.header(), x5t: this.kid }
  }

  good(): Claims {
    const iat = this.now()
    return {
      jti: 'b1e5c1f2-5d3a-4f0c-9c53-3f1b8f0a9d11',
      sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
      aud: this.audience,
      ref: 'refs/heads/main',
      sha: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
      repository: 'octo-org/octo-repo',
      repository_owner: 'octo-org',
      repository_owner_id: '65',
      repository_id: '74',
      repository_visibility: 'private',
      run_id: '30433642',
      run_number: '10',
      run_attempt: '2',
      runner_environment: 'github-hosted',
      actor: 'octocat',
      actor_id: '12',
      workflow: 'release',
      head_ref: '',
      base_ref: '',
      event_name: 'push',
      ref_type: 'branch',
      ref_protected: 'true',
      job_workflow_ref: 'octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main',
      iss: this.issuer,
      nbf: iat - 600,
      exp: iat + 300,
      iat,
    }
  }
}
