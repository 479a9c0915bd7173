import { expect } from 'vitest'
import { brokerApi, type BrokerApiSettings } from '../../src/broker/api/api.ts'
import { openApiDocument } from '../../src/ops/openapi.ts'
import { proofClaims, proofOf, proofPath, type ListeningBroker } from '../fakes/broker.ts'
import { sendHttp, type Answer, type HttpWish } from '../fakes/running_authority.ts'
import { Contract } from '../ops/contract.ts'

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
export const JSON_TYPE = { 'content-type': 'application/json' }

/** What a broker says that it serves. */
export function describedBroker(settings: Partial<BrokerApiSettings> = {}): Contract {
  const info = { title: 'broker', version: '1', description: 'A broker.' }
  const servers = ['http://127.0.0.1:9180']
  const api = brokerApi({ servers, callersProve: false, dropIn: true, ...settings })
  return new Contract(openApiDocument(info, [api]))
}

/** A request, and how it is answered. */
export interface Row extends HttpWish {
  readonly name: string
  readonly status: number
  readonly code?: string
  /** What is the matter around the broker. */
  readonly given?: (broker: ListeningBroker) => void
}

export const post = (
  body: string,
  headers: Readonly<Record<string, string>> = FORM,
): Pick<HttpWish, 'method' | 'body' | 'headers'> => ({ method: 'POST', body, headers })

/** Sends with a good `Host`, and whatever else is given. */
export function sendTo(
  { host, port }: ListeningBroker,
  { headers = {}, ...wish }: HttpWish,
): Promise<Answer> {
  return sendHttp(port, { ...wish, headers: { host, ...headers } })
}

/** Sends a request, and holds the answer against the description. A member more would be found. */
export async function expectAsDescribed(
  { status, code, given, ...wish }: Row,
  broker: ListeningBroker,
  contract: Contract,
): Promise<void> {
  given?.(broker)
  const answer = await sendTo(broker, wish)
  expect([answer.status, answer.json['code']]).toEqual([status, code])
  const { method = 'GET', path = '' } = wish
  expect(contract.faultsOf(method, path, answer)).toEqual([])
  const { BrokerRefusal = {} } = contract.document.components.schemas
  if (code !== undefined && status >= 400 && !hasMembers(code)) {
    expect(contract.schemaFaults(BrokerRefusal, answer.json)).toEqual([])
  }
  // What the authority answers may have any member.
  if (contract.find(method, path)?.responses['default']) return
  const more = { ...answer, text: JSON.stringify({ ...answer.json, more: 1 }) }
  expect(contract.faultsOf(method, path, more)).not.toEqual([])
}

/** Where a client asked for an exchange, codes and members of the authority take the place of ours, and a depth is told. */
const hasMembers = (code: string) =>
  ['consent_required', 'authority_refused', 'delegation_too_deep'].includes(code)

/** Whatever a row was given is taken away. */
export function restore(broker: ListeningBroker): void {
  const { authority, link, files, clock } = broker
  authority.recover()
  broker.workload.silence = undefined
  link.answer({})
  broker.usePolicy(undefined)
  files.write(proofPath, proofOf(proofClaims(clock.now)))
}
