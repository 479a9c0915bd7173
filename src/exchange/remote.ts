import { HttpFailure, type HttpClient, type HttpFailureCode } from '../platform/http_client.ts'
import { ExchangeFailure, type Exchanger } from './exchanger.ts'
import { exchangeForm, judgeAnswer } from './wire.ts'

export interface RemoteAuthority {
  readonly tokenUrl: URL
  /** PEM certificates to trust instead of the system, as they are now. */
  readonly ca: () => string | undefined
  readonly connectTimeoutMs: number
  readonly totalTimeoutMs: number
}

const MAX_ANSWER_BYTES = 65_536

/** What an operator should look at, by what went wrong. */
function adviceFor(code: HttpFailureCode): string {
  switch (code) {
    case 'cannot_connect':
    case 'connect_timeout':
      return 'is the authority running, and is broker.authority.url right?'
    case 'tls_untrusted':
      return 'does broker.authority.caFile hold the CA that signed it?'
    case 'tls_wrong_name':
      return 'is broker.authority.url right, and is that name among the subjectAltNames?'
    case 'address_refused':
    case 'timeout':
    case 'broken_off':
    case 'answer_too_large':
      return 'is it an authority that answers at broker.authority.url?'
  }
}

/** Exchanges with an authority over HTTP: a LumoAuth tenant, or an authority of this program. */
export function remoteExchanger(authority: RemoteAuthority, http: HttpClient): Exchanger {
  return {
    async exchange(request) {
      const ca = authority.ca()
      try {
        const answer = await http({
          method: 'POST',
          url: authority.tokenUrl,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: exchangeForm(request),
          ...(ca !== undefined && { ca }),
          connectTimeoutMs: authority.connectTimeoutMs,
          totalTimeoutMs: authority.totalTimeoutMs,
          maxBytes: MAX_ANSWER_BYTES,
        })
        return judgeAnswer(
          { status: answer.status, retryAfter: answer.header('retry-after'), body: answer.body },
          request,
        )
      } catch (error) {
        if (!(error instanceof HttpFailure)) {
          return new ExchangeFailure(
            'outage',
            'authority_request_failed',
            'the request could not be made',
          )
        }
        const detail = `${error.message}; ${adviceFor(error.code)}`
        return new ExchangeFailure('outage', `authority_${error.code}`, detail)
      }
    },
  }
}
