import type { IncomingMessage } from 'node:http'
import type { OnBehalfOf } from '../bearers.ts'
import { BrokerError } from '../errors.ts'

/** b64token of RFC 6750 section 2.1. Two such headers are one with a comma to Node, and no token. */
const token = /^[A-Za-z0-9._~+/-]+=*$/
const session = /^[A-Za-z0-9_.-]{1,128}$/

/** On whose behalf a request is made: undefined where its route is for the workload itself. */
export function behalfOf(
  { headers }: IncomingMessage,
  forSubject: boolean,
): OnBehalfOf | undefined | BrokerError {
  const subject = headers['lumo-subject-token']
  const id = headers['lumo-session']
  if (!forSubject) {
    // Passed over, the request would be made in another name than its sender thinks.
    if (subject === undefined && id === undefined) return undefined
    return new BrokerError('proxy_subject_refused')
  }
  if (typeof subject === 'string' && id === undefined && token.test(subject)) {
    return { kind: 'token', token: subject }
  }
  if (typeof id === 'string' && subject === undefined && session.test(id)) {
    return { kind: 'session', id }
  }
  return new BrokerError('proxy_subject_missing')
}
