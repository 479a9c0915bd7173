import { HttpFailure, type HttpClient } from '../../../src/platform/http_client.ts'
import { literalOf } from '../../../src/platform/addresses.ts'

/**
 * A web of hosts with addresses and pages, which is up or down. It connects as the real client does: to the first address
 * of a host that the request's guard lets through, and to none where the guard lets none through.
 */
export class FakeWeb {
  /** By URL. */
  readonly pages: Record<string, string> = {}
  /** By host name. */
  readonly addresses: Record<string, readonly string[]> = {}
  down = false
  /** What was connected to, as `address path`. */
  readonly connected: string[] = []

  readonly client: HttpClient = ({ url, mayConnectTo }) => {
    const { host, hostname, href, pathname } = url
    const literal = literalOf(hostname)
    const all = literal === undefined ? (this.addresses[hostname] ?? []) : [literal]
    const address = all.find((one) => mayConnectTo?.(one) ?? true)
    if (this.down || all.length === 0) {
      return Promise.reject(new HttpFailure('cannot_connect', `${host}: down`))
    }
    if (address === undefined) {
      return Promise.reject(new HttpFailure('address_refused', `${host}: refused`))
    }
    this.connected.push(`${address} ${pathname}`)
    const body = this.pages[href]
    const status = body === undefined ? 404 : 200
    return Promise.resolve({ status, body: body ?? '', header: () => undefined })
  }
}
