import { TokenIssuer, type Claims } from './token_issuer.ts'

const TENANT = '72f988bf-0000-4000-8000-2d7cd011db47'
const APPLICATION = 'aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb'
/** Entra writes `iat` and `nbf` that much before the moment, and `exp` a day after it. */
const BACKDATED = 300

/**
 * Entra, which issues access tokens of a managed identity, in version 1 or version 2.
 * https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
 */
export class FakeEntra extends TokenIssuer {
  readonly tenantId = TENANT
  readonly objectId = 'cccccccc-4444-4555-8666-dddddddddddd'
  readonly #version: 1 | 2

  constructor(audience: string, now: () => number, version: 1 | 2 = 1) {
    const issuer =
      version === 1
        ? `https://sts.windows.net/${TENANT}/`
        : `https://login.microsoftonline.com/${TENANT}/v2.0`
    super(issuer, audience, now)
    this.#version = version
  }

  override header(): Claims {
    const header = super.header()
    return this.#version === 1 ? { ...header, x5t: this.kid } : header
  }

  good(): Claims {
    const iat = this.now() - BACKDATED
    const application =
      this.#version === 1
        ? { appid: APPLICATION, appidacr: '2', idp: this.issuer, ver: '1.0' }
        : { azp: APPLICATION, azpacr: '2', ver: '2.0' }
    return {
      aud: this.audience,
      iss: this.issuer,
      iat,
      nbf: iat,
      exp: iat + BACKDATED + 86_400,
      ...application,
      idtyp: 'app',
      oid: this.objectId,
      sub: this.objectId,
      tid: this.tenantId,
      xms_mirid:
        '/subscriptions/s/resourcegroups/octo/providers/Microsoft.ManagedIdentity/userAssignedIdentities/analyst',
    }
  }
}
