import { RuleBroken, text, type Claims } from './claims.ts'
import type { AzureWorkload } from './identity.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * What an access token of Entra says of a managed identity: its object id in `oid`, in the directory `tid`. A token of a
 * person has `scp`, or an `idtyp` other than `app`, and is refused: a person is no workload. So is a token that names no
 * application in `appid` (version 1) or `azp` (version 2): every access token has one, while an ID token of a person, which
 * has the same issuer and for an audience the id of the API, has none.
 * https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
 * @throws RuleBroken
 */
export function azureClaims(
  claims: Claims,
  tenantId: string,
): Pick<AzureWorkload, 'kind' | 'subject' | 'tenantId'> {
  const oid = text(claims, 'oid')
  if (!uuid.test(oid)) throw new RuleBroken('claim_malformed', 'oid is no UUID')
  if (text(claims, 'tid') !== tenantId) {
    throw new RuleBroken('account_mismatch', 'tid is not the tenant of the provider')
  }
  const { idtyp, scp } = claims
  if (scp !== undefined || (idtyp !== undefined && idtyp !== 'app')) {
    throw new RuleBroken('principal_unsupported', 'the token is one of a user')
  }
  if (typeof (claims['appid'] ?? claims['azp']) !== 'string') {
    throw new RuleBroken('claim_missing', 'appid or azp is missing: no access token')
  }
  return { kind: 'azure', subject: oid, tenantId }
}
