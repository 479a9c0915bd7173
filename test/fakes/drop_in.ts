import type { OutgoingHttpHeaders } from 'node:http'
import { digestOf, type DropInGuard } from '../../src/broker/drop_in/guard.ts'
import type { ListeningBroker } from './broker.ts'
import {
  ACCESS_TOKEN,
  basic,
  FORM,
  sendHttp,
  TOKEN_EXCHANGE,
  TOKEN_PATH,
  type Answer,
} from './running_authority.ts'

/** The guard value of the broker of a test. */
export const guardValue = 'Zm9yLXRlc3RzLW9ubHktYW5kLWZvci1ub3RoaW5nLWVsc2U'

export const guarded: DropInGuard = { kind: 'secret', digest: () => digestOf(guardValue) }

/** What a client of the drop-in routes sends, sound unless a test changes it; undefined takes a parameter away. */
export type DropInForm = Readonly<Record<string, string | readonly string[] | undefined>>

export const byBasic = basic('self', guardValue)
export const inBody = { client_id: 'self', client_secret: guardValue }

export const credentialsForm = { grant_type: 'client_credentials', ...inBody }

export function exchangeForm(subject: string, more: DropInForm = {}): DropInForm {
  return {
    grant_type: TOKEN_EXCHANGE,
    ...inBody,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    ...more,
  }
}

export function formText(form: DropInForm): string {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as [string, string]),
  )
  return new URLSearchParams(pairs).toString()
}

/** Posts a form to the token endpoint of the broker, as an OAuth client does. */
export function postForm(
  { port }: Pick<ListeningBroker, 'port'>,
  form: DropInForm,
  headers: OutgoingHttpHeaders = {},
  path = TOKEN_PATH,
): Promise<Answer> {
  const body = formText(form)
  return sendHttp(port, { method: 'POST', path, headers: { ...FORM, ...headers }, body })
}

/** A token as its form goes; nobody verifies it where an authority is a fake. */
export function tokenOf(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256', typ: 'at+jwt' })}.${part(claims)}.c2lnbmF0dXJl`
}

export const agentClaims = {
  iss: 'https://auth.example/t/acme-corp/api/v1',
  sub: 'agent:doc-analyst',
  client_id: 'doc-analyst',
  aud: 'doc-analyst',
}

export const userClaims = { ...agentClaims, sub: 'user_a', client_id: 'web', aud: 'web' }
