import { TokenIssuer, type Claims } from './token_issuer.ts'

/**
 * A GitLab with its ID tokens for the jobs of pipelines, here of `main` of `octo-group/octo-project`.
 * https://docs.gitlab.com/ci/secrets/id_token_authentication
 */
export class FakeGitLab extends TokenIssuer {
  constructor(audience: string, now: () => number) {
    super('https://gitlab.example.com', audience, now)
  }

  good(): Claims {
    const iat = this.now()
    return {
      namespace_id: '72',
      namespace_path: 'octo-group',
      project_id: '20',
      project_path: 'octo-group/octo-project',
      user_id: '1',
      user_login: 'sample-user',
      user_email: 'sample-user@example.com',
      pipeline_id: '574',
      pipeline_source: 'push',
      job_id: '302',
      ref: 'main',
      ref_type: 'branch',
      ref_path: 'refs/heads/main',
      ref_protected: 'true',
      runner_id: 1,
      runner_environment: 'self-hosted',
      sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
      jti: '63ab75f4-2606-4f0e-a500-86f90ab13a85',
      iss: this.issuer,
      iat,
      nbf: iat - 5,
      exp: iat + 3_600,
      sub: 'project_path:octo-group/octo-project:ref_type:branch:ref:main',
      aud: this.audience,
    }
  }
}
