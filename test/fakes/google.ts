import { TokenIssuer, type Claims } from './token_issuer.ts'

const ISSUER = 'https://accounts.google.com'
const EMAIL = 'analyst@octo-project.iam.gserviceaccount.com'

/**
 * Google's issuer of identity tokens, for the service account of a machine, in the format `full`.
 * https://cloud.google.com/compute/docs/instances/verifying-instance-identity
 */
export class FakeGoogle extends TokenIssuer {
  readonly account = '104857600123456789012'
  override readonly nest = 'google'

  constructor(audience: string, now: () => number) {
    super(ISSUER, audience, now)
  }

  good(): Claims {
    const iat = this.now()
    return {
      iss: this.issuer,
      aud: this.audience,
      sub: this.account,
      azp: this.account,
      email: EMAIL,
      email_verified: true,
      iat,
      exp: iat + 3_600,
      google: {
        compute_engine: {
          project_id: 'octo-project',
          project_number: 739_419_398_126,
          zone: 'europe-west1-b',
          instance_id: '152986662232938449',
          instance_name: 'analyst-1',
          instance_creation_timestamp: iat - 86_400,
        },
      },
    }
  }
}
