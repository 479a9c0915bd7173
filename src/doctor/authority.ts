import type { BrokerConfig, RemoteAuthorityConfig } from '../config/config.ts'
import { HttpFailure, type HttpAnswer } from '../platform/http_client.ts'
import { printable } from '../platform/printable.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import { discoveryUrl, isAnswerFault, type Probe } from './probe.ts'
import { connectionFault } from './tls.ts'

const NOT_THERE = 'is broker.authority.url that of the authority, and its pathStyle right?'

/** Link 7: is it an authority, and does it have the tenant? */
export function authorityLink(
  broker: Pick<BrokerConfig, 'tenant' | 'proofAudience'>,
  remote: RemoteAuthorityConfig,
  { outcome, unasked }: Probe,
): Finding {
  if (outcome === undefined) return skipped('authority', unasked)
  const url = discoveryUrl(remote)
  if (!(outcome instanceof HttpFailure)) return judge(outcome, broker, url)
  if (isAnswerFault(outcome)) {
    const why = printable(outcome.reason ?? outcome.code, 100)
    return failed('authority', `${url.host} gives no usable answer (${why})`, NOT_THERE)
  }
  // Plain HTTP has no link before this one that would have said so.
  if (url.protocol === 'http:') return connectionFault('authority', url, outcome, false)
  return skipped('authority', 'there is no connection to the authority')
}

function judge(
  { status, body }: HttpAnswer,
  { tenant, proofAudience }: Pick<BrokerConfig, 'tenant' | 'proofAudience'>,
  url: URL,
): Finding {
  const answered = `it answers ${String(status)} for ${url.pathname}`
  if (status === 429 || status >= 500) {
    return failed('authority', answered, 'its log has the reason; the broker goes on asking')
  }
  const { issuer, error } = objectOf(body)
  if (status === 404 && error === 'invalid_tenant') {
    return failed(
      'authority',
      `it has no tenant ${tenant}`,
      'mend broker.authority.tenant, or LUMOAUTH_TENANT',
    )
  }
  if (status >= 300 && status < 400) {
    return failed(
      'authority',
      answered,
      'redirects are not followed: name the origin that it leads to',
    )
  }
  if (status !== 200) return failed('authority', answered, NOT_THERE)
  if (typeof issuer !== 'string' || issuer === '') {
    return failed('authority', `what it answers for ${url.pathname} names no issuer`, NOT_THERE)
  }
  const other = proofAudience !== issuer && !proofAudience.startsWith(`${issuer}#`)
  const hint = other ? `; proofs are made for ${proofAudience}, which it has to know` : ''
  return ok('authority', `issuer ${printable(issuer, 300)}${hint}`)
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : {}
  } catch (error) {
    if (error instanceof JsonFault) return {}
    throw error
  }
}
