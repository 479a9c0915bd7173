import { generateKeyPairSync } from 'node:crypto'
import { TokenIssuer, type Claims, type Issued, type Pair } from './token_issuer.ts'

/** The one claim that AWS puts its own into; its name ends in a slash. */
export const STS_CLAIM = 'https://sts.amazonaws.com/'

/**
 * The issuer of web identity tokens of one AWS account. Its keys have the names that those of every account have.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
export class FakeAwsIssuer extends TokenIssuer {
  override readonly kid = 'RSA_0'
  override readonly nest = STS_CLAIM
  readonly account: string
  readonly ec: Pair = generateKeyPairSync('ec', { namedCurve: 'P-384' })

  /** `id`: the UUID in the name of the issuer. */
  constructor(account: string, id: string, audience: string, now: () => number) {
    super(`https://${id}.tokens.sts.global.api.aws`, audience, now)
    this.account = account
  }

  /** The RSA key has no `alg`, as AWS publishes it. */
  override jwks(): { readonly keys: readonly Claims[] } {
    const ec = this.ec.publicKey.export({ format: 'jwk' })
    return {
      keys: [...super.jwks().keys, { ...ec, kid: 'EC384_0', use: 'sig', alg: 'ES384' }],
    }
  }

  /** A token with the other of the two algorithms. */
  ecToken(issued: Issued = {}): string {
    const header = { alg: 'ES384', kid: 'EC384_0', ...issued.header }
    return this.token({ key: this.ec.privateKey, ...issued, header })
  }

  good(): Claims {
    const iat = this.now()
    return {
      iss: this.issuer,
      aud: this.audience,
      sub: `arn:aws:iam::${this.account}:role/team/payments`,
      iat,
      exp: iat + 300,
      jti: '0b1b8a52-2a37-4d57-8f40-1d1f3d0ff5b1',
      [STS_CLAIM]: {
        aws_account: this.account,
        source_region: 'eu-west-1',
        org_id: 'o-abc1234567',
        ou_path: ['o-abc1234567/r-ab12/ou-ab12-11111111/'],
        principal_tags: { 'kubernetes-namespace': 'research' },
        original_session_exp: new Date((iat + 3_600) * 1_000).toISOString(),
        request_tags: {},
      },
    }
  }
}
