import { onTestFinished } from 'vitest'
import { requestText, sendRaw, type RawAnswer } from '../../fakes/raw_http.ts'
import { openedAuthorization, type OpenedAuthorization, type OpenedWish } from './opened.ts'

const routes = [
  {
    name: 'docs',
    audience: 'https://docs.example.com',
    resources: ['https://docs.example.com/v2'],
    scopes: ['read:documents', 'list'],
    agent: 'analyst',
  },
  { name: 'docs-2', audience: 'https://two.example.com' },
  { name: 'plain', audience: 'https://plain.example.com' },
]
const section = { routes, hosts: ['Docs.example.com'] }
export const HOST = 'Host: 127.0.0.1:9182'
export const GUARD = 'Lumo-Broker: true'
export const DOCS = '/v1/authorization/docs'

/** The listener with its routes, until the test ends. */
export async function open(wish: Partial<OpenedWish> = {}): Promise<OpenedAuthorization> {
  const opened = await openedAuthorization({ section, ...wish })
  onTestFinished(() => opened.close())
  return opened
}

export interface Asked {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly body?: string
}

/** Asks as a gateway does, unless it says otherwise. */
export function ask(
  { port }: OpenedAuthorization,
  { method = 'GET', target = DOCS, headers = [HOST, GUARD], body }: Asked = {},
): Promise<RawAnswer> {
  return sendRaw(port, requestText(`${method} ${target} HTTP/1.1`, headers, body))
}

export const codeOf = ({ body }: RawAnswer) => (JSON.parse(body) as { code?: unknown }).code
