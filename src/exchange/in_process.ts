import type { Exchanger } from './exchanger.ts'
import { exchangeForm, judgeAnswer } from './wire.ts'

/** The token endpoint of this process, as this side sees it. */
export type LocalTokenEndpoint = (
  tenant: string,
  request: {
    readonly contentType: string
    readonly body: Buffer
    readonly query: string
    readonly authorization: undefined
    readonly dpop: undefined
  },
) => Promise<{
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}>

/** Exchanges with the authority of this process, without a socket. The request is the one that would go over the wire, so that no check can be missing on the short way. */
export function inProcessExchanger(tenant: string, endpoint: LocalTokenEndpoint): Exchanger {
  return {
    async exchange(request) {
      const answer = await endpoint(tenant, {
        contentType: 'application/x-www-form-urlencoded',
        body: Buffer.from(exchangeForm(request)),
        query: '',
        authorization: undefined,
        dpop: undefined,
      })
      return judgeAnswer(
        { status: answer.status, retryAfter: answer.headers['retry-after'], body: answer.body },
        request,
      )
    },
  }
}
