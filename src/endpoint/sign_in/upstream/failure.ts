import * as openid from 'openid-client'
import { FileFault } from '../../../platform/files.ts'
import { HttpFailure } from '../../../platform/http_client.ts'
import { DocumentWrong } from './discovery.ts'
import { UpstreamRefusal, type UpstreamRefusalCode } from './refusal.ts'

/** RFC 6749 section 5.2, as far as it says that we are no client of theirs, or not one that may do this. */
const ofClient: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client'])
const MAX_CAUSES = 5

/**
 * What a failure of the library means. Its messages stay out: they quote what the provider sent. `otherwise`: whatever is not
 * foreseen is the provider's doing as well, for nothing else goes in.
 */
export function refusalOf(error: unknown, otherwise: UpstreamRefusalCode): UpstreamRefusal {
  for (const cause of causesOf(error)) {
    if (cause instanceof HttpFailure) return outOf(cause)
    if (cause instanceof FileFault) {
      return new UpstreamRefusal('upstream_file_unreadable', { detail: cause.message })
    }
    if (cause instanceof DocumentWrong) {
      return new UpstreamRefusal('upstream_document_wrong', { detail: cause.message })
    }
    if (cause instanceof openid.AuthorizationResponseError) {
      return new UpstreamRefusal('upstream_denied')
    }
    if (cause instanceof openid.ResponseBodyError) return refusedAt(cause)
    if (cause instanceof Response && cause.status >= 500) return new UpstreamRefusal('upstream_out')
  }
  return new UpstreamRefusal(otherwise, { detail: codeOf(error) })
}

function outOf({ code, message }: HttpFailure): UpstreamRefusal {
  if (code === 'address_refused')
    return new UpstreamRefusal('upstream_host_refused', { detail: message })
  return code === 'answer_too_large'
    ? new UpstreamRefusal('upstream_answer_wrong', { detail: message })
    : new UpstreamRefusal('upstream_out', { detail: message })
}

/** The token endpoint said no (RFC 6749 section 5.2). */
function refusedAt({ error, status }: openid.ResponseBodyError): UpstreamRefusal {
  if (ofClient.has(error)) return new UpstreamRefusal('upstream_client_refused')
  if (error === 'invalid_grant') return new UpstreamRefusal('upstream_code_refused')
  return status >= 500
    ? new UpstreamRefusal('upstream_out')
    : new UpstreamRefusal('upstream_answer_wrong')
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = []
  let at = error
  while (at !== undefined && causes.length < MAX_CAUSES) {
    causes.push(at)
    at = at instanceof Error ? at.cause : undefined
  }
  return causes
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code : error.name
}
