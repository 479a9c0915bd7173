import { HttpFailure } from '../platform/http_client.ts'
import { printable } from '../platform/printable.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import { isAnswerFault, type Probe } from './probe.ts'

/** Link 6: is there a connection, and is it to the authority? */
export function tlsLink(url: URL, { outcome, ca, unasked }: Probe, proxied: boolean): Finding {
  if (typeof ca === 'object') return ca
  if (url.protocol === 'http:') return skipped('tls', 'plain HTTP, which stays on this machine')
  if (outcome === undefined) return skipped('tls', unasked)
  if (!(outcome instanceof HttpFailure) || isAnswerFault(outcome)) {
    const by = ca === undefined ? 'the CAs of the system' : 'the CA of broker.authority'
    return ok('tls', `${url.host} is verified by ${by}`)
  }
  return connectionFault('tls', url, outcome, proxied)
}

/** What keeps a connection from being there. */
export function connectionFault(
  link: 'tls' | 'authority',
  { host }: URL,
  failure: HttpFailure,
  proxied: boolean,
): Finding {
  const { code, reason = code } = failure
  const shown = printable(reason, 200)
  switch (code) {
    case 'tls_wrong_name':
      return failed(
        link,
        `the certificate of ${host} is made for another name: ${shown}`,
        'use a name that it has in broker.authority.url, or have it made for this one',
      )
    case 'tls_untrusted':
      return untrusted(link, host, shown)
    case 'cannot_connect':
      if (isNoTls(reason)) {
        return failed(
          link,
          `what answers at ${host} speaks no TLS (${shown})`,
          'is the port in broker.authority.url that of its TLS listener?',
        )
      }
      if (reason.startsWith('ERR_SSL')) {
        return failed(
          link,
          `the TLS handshake with ${host} fails (${shown})`,
          'does it take TLS 1.2 or later, without a client certificate?',
        )
      }
      return noConnection(link, host, shown, proxied)
    case 'connect_timeout':
      return noConnection(link, host, 'no connection in time', proxied)
    case 'broken_off':
    case 'address_refused':
    case 'timeout':
    case 'answer_too_large':
      return failed(
        link,
        `the connection to ${host} was broken off (${shown})`,
        'does something between here and the authority cut it, and is the port the right one?',
      )
  }
}

function noConnection(
  link: 'tls' | 'authority',
  host: string,
  why: string,
  proxied: boolean,
): Finding {
  const advice = proxied
    ? 'is the proxy of HTTPS_PROXY up, and does it let this host through? NO_PROXY makes an exception'
    : 'does the authority run, is broker.authority.url right, and does a NetworkPolicy let this pod reach it?'
  return failed(link, `there is no connection to ${host} (${why})`, advice)
}

function untrusted(link: 'tls' | 'authority', host: string, reason: string): Finding {
  switch (reason) {
    case 'CERT_HAS_EXPIRED':
      return failed(
        link,
        `a certificate of ${host} has expired`,
        'renew it, if the clock of this machine is right',
      )
    case 'CERT_NOT_YET_VALID':
      return failed(
        link,
        `a certificate of ${host} is not valid yet`,
        'is the clock of this machine behind?',
      )
    default:
      return failed(
        link,
        `the certificate of ${host} is not trusted (${reason})`,
        'name the CA that signed it with broker.authority.caFile; in a pod of the chart, which is given it when it is made, make the pod again',
      )
  }
}

/** What OpenSSL says of bytes that are no TLS record. */
function isNoTls(reason: string): boolean {
  return (
    reason === 'EPROTO' ||
    reason.endsWith('_WRONG_VERSION_NUMBER') ||
    reason.endsWith('_PACKET_LENGTH_TOO_LONG') ||
    reason.endsWith('_HTTP_REQUEST')
  )
}
