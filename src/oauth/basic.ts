import { decodeFormText } from './form.ts'

/** What HTTP Basic shows of a client. */
export interface BasicCredentials {
  readonly clientId: string
  /** Empty where none was given. */
  readonly secret: string
}

/** Reads the value of `Authorization` as RFC 6749 section 2.3.1 has it: both parts form-encoded. Undefined when it is not that. */
export function parseBasic(authorization: string): BasicCredentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  try {
    return {
      clientId: decodeFormText(text.slice(0, colon)),
      secret: decodeFormText(text.slice(colon + 1)),
    }
  } catch {
    return undefined
  }
}
