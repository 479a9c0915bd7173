import { FORM, sendHttp, type Answer } from './running_authority.ts'
import type { ComposedBroker } from './running_broker.ts'

type Values = Readonly<Record<string, string | readonly string[]>>

export const ACCESS = 'urn:ietf:params:oauth:token-type:access_token'

/** Sends to a route of the broker as an agent beside it does. */
export function sendAs(
  { host, port }: Pick<ComposedBroker, 'host' | 'port'>,
  method: string,
  path: string,
  form?: Values,
): Promise<Answer> {
  const body = new URLSearchParams(
    Object.entries(form ?? {}).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name, one]),
    ),
  ).toString()
  return sendHttp(port, {
    method,
    path,
    headers: { host, 'lumo-broker': 'true', ...(form && FORM) },
    ...(form && { body }),
  })
}

/** Begins to act for whom a token is of; gives the name of the session. */
export async function beginSession(broker: ComposedBroker, token: string): Promise<string> {
  const { json, text } = await sendAs(broker, 'POST', '/v1/sessions', subjectForm(token))
  if (typeof json['session'] !== 'string') throw new Error(text)
  return json['session']
}

export function subjectForm(token: string): Values {
  return { subject_token: token, subject_token_type: ACCESS }
}

export function exchangeAs(broker: ComposedBroker, form: Values): Promise<Answer> {
  return sendAs(broker, 'POST', '/v1/exchange', form)
}
