import { Parameters } from '../../oauth/parameters.ts'
import type { Tenant } from '../tenant.ts'

/** What a browser sends. */
export interface BrowserRequest {
  /** Without the question mark. */
  readonly query: string
  readonly cookies: string | undefined
  /** Network address that it comes from. */
  readonly address: string | undefined
  readonly requestId: string
  /** Empty for GET. */
  readonly body: Buffer
  /** Where our endpoints lie, such as `https://auth.example.com/t/acme-corp/api/v1`. */
  readonly base: string
}

/** The form of a request, if it is one that a page of ours was, in this very browser (CSRF). */
export function ownForm({ cookies, body }: BrowserRequest, tenant: Tenant): Parameters | undefined {
  const value = tenant.sessions.valueIn(cookies)
  const form = Parameters.parse(body, 'form')
  if (value === undefined || typeof form === 'string') return undefined
  return tenant.sessions.isOwnForm(value, form.one('form')) ? form : undefined
}

/** Members of an audit record of what a browser did. */
export function toldOf({ address, requestId }: BrowserRequest, { slug }: Tenant) {
  return {
    tenant: slug,
    request_id: requestId,
    ...(address !== undefined && { ip_address: address }),
  }
}
