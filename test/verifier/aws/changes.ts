import type { SignedRequestProvider } from '../../../src/verifier/aws/aws_request.ts'
import type { RefusalCode } from '../../../src/verifier/refusal.ts'
import type { RequestParts, SigningWish } from '../../fakes/sts/signed_token.ts'

/** One request and what has to become of it. */
export interface AwsCase {
  readonly name: string
  readonly code: RefusalCode | 'accepted'
  /** What is signed instead of a good request. `at` counts from now. */
  readonly sign?: Partial<SigningWish>
  /** What is done to it after it was signed. */
  readonly change?: (parts: RequestParts) => unknown
  /** How it is written, where not as it should be. */
  readonly encode?: (parts: unknown) => string
  readonly provider?: Partial<SignedRequestProvider>
}

/** Something done to a request that is signed already. */
type Change = (parts: RequestParts) => RequestParts

export const HOST = 'sts.eu-west-1.amazonaws.com'
export const QUERY = '?Action=GetCallerIdentity&Version=2011-06-15'
export const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
export const OTHER_TENANT = 'https://auth.example.com/t/other/api/v1'
export const OTHER_NAME = 'https://auth.example.com/t/acme'

export const url =
  (text: string): Change =>
  (parts) => ({ ...parts, url: text })
export const plus =
  (key: string, value: string): Change =>
  (parts) => ({ ...parts, headers: [...parts.headers, { key, value }] })
export const without =
  (name: string): Change =>
  (parts) => ({ ...parts, headers: parts.headers.filter(({ key }) => key.toLowerCase() !== name) })
export const edit =
  (name: string, change: (value: string) => string): Change =>
  (parts) => ({
    ...parts,
    headers: parts.headers.map(({ key, value }) =>
      key.toLowerCase() === name ? { key, value: change(value) } : { key, value },
    ),
  })
export const header = (name: string, value: string): Change => edit(name, () => value)
export const authorization = (from: string | RegExp, to: string): Change =>
  edit('authorization', (value) => value.replace(from, to))
