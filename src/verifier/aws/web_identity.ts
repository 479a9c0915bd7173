import { isJsonObject } from '../../platform/strict_json.ts'
import { RuleBroken, text, type Claims } from '../claims.ts'
import type { AwsWorkload } from '../identity.ts'

/** One claim whose name is a URL with a slash at its end, not a path. */
const NESTED = 'https://sts.amazonaws.com/'

/** Of a role or a user: of a session AWS writes the role, with its path. */
const principal = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):(?:role|user)\/[A-Za-z0-9+=,.@_/-]{1,576}$/

/**
 * What a token of sts:GetWebIdentityToken says of its caller. `request_tags` are the caller's own choice and are never read;
 * who the caller is stands in `sub`.
 * @throws RuleBroken
 */
export function webIdentityClaims(
  claims: Claims,
  account: string,
): Pick<AwsWorkload, 'kind' | 'subject' | 'partition' | 'account' | 'uniqueId'> {
  const nested = claims[NESTED]
  if (nested === undefined) {
    throw new RuleBroken('claim_missing', 'the claim https://sts.amazonaws.com/ is missing')
  }
  if (!isJsonObject(nested)) {
    throw new RuleBroken('claim_malformed', 'the claim https://sts.amazonaws.com/ is no object')
  }
  const sub = text(claims, 'sub')
  const [, partition, owner] = principal.exec(sub) ?? []
  if (partition === undefined || owner === undefined) {
    throw new RuleBroken('principal_unsupported', 'sub is no ARN of a role or user')
  }
  if (text(nested, 'aws_account') !== owner || owner !== account) {
    throw new RuleBroken('account_mismatch', 'sub, aws_account and the provider do not agree')
  }
  return { kind: 'aws', subject: sub, partition, account, uniqueId: undefined }
}
